"""The server under load: does it keep the engine's pace, do bad requests hurt good ones, does memory grow?

python benchmarks/load.py [--clients=32] [--seconds=60] [--bad=0.2] [--kill] [--output=load.json]

Starts `inpainting-tf serve` on this machine, for itself, and sends pictures of several sizes from so many
clients at a time. A share of the requests is bad: truncated, too large, no picture, or sent too slowly. With
--kill one replica is killed after two thirds of the time. The engine's own pace is that of as many processes,
each with one thread, that repair the same pictures without a server, before and after. Where a machine has
other work, processor seconds tell more than those of the clock: the server's count all its processes. Memory
is their proportional set size (on Linux).
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import contextlib
import dataclasses
import io
import itertools
import multiprocessing
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import environment, files, tables
from inpainting_tf.apps import repairer
from inpainting_tf.commands import cli

ROOT = Path(__file__).parents[1]
BAD = ("truncated", "huge", "wrong type", "slow sender")
_PROCESSES = ("server", "replicas", "Ray's others")
_RECEIVE = 5.0  # seconds that the server waits for a request
_LIMIT = 20  # MB of a request


def define_flags(define: cli.Define) -> None:
    """Defines the load."""
    define.integer("clients", 32, "At a time.", lower_bound=1)
    define.float("seconds", 60.0, "Of load.", lower_bound=1.0)
    define.floats("megapixels", [0.3, 1.0, 3.0, 12.0], "Of the pictures.")
    define.float("bad", 0.2, "Share of bad requests.", lower_bound=0.0, upper_bound=1.0)
    define.boolean("kill", False, "Kill a replica after two thirds of the time.")
    define.integer(
        "replicas", os.cpu_count() or 1, "Of the server; 0: threads of one process.", lower_bound=0
    )
    define.string("model", "photos", "A shipped model.")
    define.float("alone", 15.0, "Seconds of each measurement of the engine alone.", lower_bound=1.0)
    define.string("output", None, "A JSON file for the figures.")


@dataclasses.dataclass
class Answers:
    """What was answered: (kind, status, seconds), kind being megapixels or one of `BAD`; and `memory`."""

    rows: list[tuple[str, str, float]] = dataclasses.field(default_factory=list)
    memory: list[dict[str, float]] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0
    killed: float | None = None


def run(args: flags.FlagValues) -> None:
    """Measures, and prints the tables."""
    environment.needed("httpx", "test")
    requests = {f"{each:g} MP": request(each) for each in args.megapixels}
    processes = max(1, args.replicas)
    alone = [engine_pace(args.model, requests, processes, args.alone)]
    with server(args) as (pid, port):
        answers = asyncio.run(load(args, requests, pid, port))
    alone.append(engine_pace(args.model, requests, processes, args.alone))
    found = figures(answers, alone, requests)
    print("\n".join(told(found)))
    if args.output:
        files.write_json(args.output, found | {"cores": os.cpu_count(), "replicas": args.replicas})


# The pictures


def request(megapixels: float) -> dict[str, bytes]:
    """A photograph-like JPEG and a mask with some holes, as many for each size."""
    height, width = (round(side * megapixels**0.5) for side in (866, 1155))
    random_ = np.random.default_rng(0)
    coarse = Image.fromarray(random_.integers(0, 256, (24, 32, 3)).astype(np.uint8))
    picture = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    picture = np.clip(picture + random_.integers(-6, 7, (height, width, 1)), 0, 255).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    for part in (0.2, 0.5, 0.8):
        top, left = int(part * height), int((1 - part) * width)
        mask[top : top + 20, left : left + 30] = 255
    return {"image": _encoded(picture, "JPEG", quality=90), "mask": _encoded(mask, "PNG")}


def _encoded(array: np.ndarray, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


# The engine alone


def engine_pace(
    model: str, requests: dict[str, dict[str, bytes]], processes: int, seconds: float
) -> tuple[float, float]:
    """Pictures a second of so many processes without a server, and processor seconds of a picture."""
    # Not multiprocessing's Pool, which waits for ever where a process ends early.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        asked = [pool.submit(_pace, model, requests, seconds) for _ in range(processes)]
        found = [each.result() for each in asked]
    return sum(pace for pace, _ in found), statistics.mean(processor for _, processor in found)


def _pace(model: str, requests: dict[str, dict[str, bytes]], seconds: float) -> tuple[float, float]:
    """Of one process, the sizes in turns."""
    own = repairer.Repairer(repairer.Model(model))
    works = [repairer.Repair(each["image"], (each["mask"],)) for each in requests.values()]
    own.file(works[0])
    start, processor, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds or count % len(works):
        own.file(works[count % len(works)])
        count += 1
    return count / (time.perf_counter() - start), (time.process_time() - processor) / count


# The server


@contextlib.contextmanager
def server(args: flags.FlagValues) -> Iterator[tuple[int, int]]:
    """The command in a process of its own; yields its number and its port."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"model": args.model, "replicas": args.replicas, "port": port, "max_upload_mb": _LIMIT}
    given |= {"receive_seconds": _RECEIVE, "waiting": 2 * args.clients, "at_once": 2}
    call = [
        sys.executable,
        "-m",
        "inpainting_tf",
        "serve",
        *(f"--{name}={value}" for name, value in given.items()),
    ]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(call, env=environ, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        start = time.perf_counter()
        while "is at" not in (line := process.stdout.readline()):
            if not line:
                raise SystemExit("The server did not start.")
        print(f"The server started in {time.perf_counter() - start:.1f} s.", flush=True)
        try:
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            if process.returncode:
                print(f"The server ended with status {process.returncode}.")


def tree(pid: int) -> dict[int, str]:
    """The command lines of a process and of all below it."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,ppid,args"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    rows = [
        (int(pid), int(parent), line)
        for pid, parent, line in (each.split(None, 2) for each in listed.splitlines()[1:])
    ]
    found = {pid: next(line for each, _, line in rows if each == pid)}
    for _ in rows:
        new = {each: line for each, parent, line in rows if parent in found and each not in found}
        if not new:
            return found
        found |= new
    return found


def memory(pid: int) -> dict[str, float]:
    """Megabytes of a process and of those below it, shared pages divided by those who share them."""
    found = dict.fromkeys(_PROCESSES, 0.0)
    for each, line in tree(pid).items():
        kind = "server" if each == pid else "replicas" if "ServeReplica" in line else "Ray's others"
        with contextlib.suppress(OSError):
            for row in Path(f"/proc/{each}/smaps_rollup").read_text(encoding="utf-8").splitlines():
                if row.startswith("Pss:"):
                    found[kind] += int(row.split()[1]) / 1024
    return found


def processor_seconds(pid: int) -> float:
    """Of a process and those below it that are alive."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])  # in user and in system mode
    return total / os.sysconf("SC_CLK_TCK")


# The load


async def load(args: flags.FlagValues, requests: dict[str, dict[str, bytes]], pid: int, port: int) -> Answers:
    """Answers to all clients."""
    import httpx

    answers = Answers()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=300, limits=limits) as http:
        for work in requests.values():  # each once, not counted
            await http.post("/v1/repair", files=work)
        start, processor = time.perf_counter(), processor_seconds(pid)
        until = start + args.seconds
        clients = [
            _client(http, requests, args.bad, random.Random(each), until, answers)
            for each in range(args.clients)
        ]
        await asyncio.gather(*clients, _watch(pid, until, answers), _kill(args, pid, start, answers))
        answers.seconds = time.perf_counter() - start
        answers.processor = processor_seconds(pid) - processor
    return answers


async def _client(
    http: Any,
    requests: dict[str, dict[str, bytes]],
    bad: float,
    chance: random.Random,
    until: float,
    answers: Answers,
) -> None:
    while time.perf_counter() < until:
        kind = chance.choice(BAD) if chance.random() < bad else chance.choice(list(requests))
        begun = time.perf_counter()
        try:
            if kind == "slow sender":
                status = await _slowly(http.base_url.port)
            else:
                status = str((await http.post("/v1/repair", **_sent(kind, requests))).status_code)
        except Exception as error:  # what a client sees of a broken connection
            status = type(error).__name__
        answers.rows.append((kind, status, time.perf_counter() - begun))


def _sent(kind: str, requests: dict[str, dict[str, bytes]]) -> dict[str, Any]:
    some = next(iter(requests.values()))
    if kind == "truncated":
        return {"files": some | {"image": some["image"][: len(some["image"]) // 2]}}
    if kind == "huge":
        return {"files": some | {"image": bytes((_LIMIT + 5) * 2**20)}}
    if kind == "wrong type":
        return {"files": some | {"image": b"This is no picture."}}
    return {"files": requests[kind]}


async def _slowly(port: int) -> str:
    """The status for a client that sends a byte a second, and reads meanwhile."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /v1/repair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
    answer = asyncio.ensure_future(reader.readline())
    with contextlib.closing(writer):
        while not answer.done():
            writer.write(b"-")
            await asyncio.wait([answer], timeout=1)
    return answer.result().split()[1].decode()


async def _watch(pid: int, until: float, answers: Answers) -> None:
    while time.perf_counter() < until:
        answers.memory.append(await asyncio.to_thread(memory, pid))
        await asyncio.sleep(2)


async def _kill(args: flags.FlagValues, pid: int, start: float, answers: Answers) -> None:
    if args.kill:
        await asyncio.sleep(2 * args.seconds / 3)
        os.kill(next(each for each, line in tree(pid).items() if "ServeReplica" in line), signal.SIGKILL)
        answers.killed = time.perf_counter() - start


# The figures


def figures(answers: Answers, alone: list[tuple[float, float]], requests: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, as plain values."""
    good = [row for row in answers.rows if row[0] in requests]
    sizes = {}
    for kind in requests:
        seconds = sorted(each for name, status, each in good if (name, status) == (kind, "200"))
        if seconds:
            p99 = seconds[min(len(seconds) - 1, int(0.99 * len(seconds)))]
            sizes[kind] = {"pictures": len(seconds), "median": statistics.median(seconds), "p99": p99}
    counts: dict[str, collections.Counter] = {}
    for kind, status, _ in answers.rows:
        counts.setdefault("good" if kind in requests else kind, collections.Counter())[status] += 1
    done = counts.get("good", collections.Counter())["200"]
    paces, processors = zip(*alone, strict=True)
    return {
        "seconds": answers.seconds,
        "pictures_a_second": done / answers.seconds,
        "engine_alone": paces,
        "share": done / answers.seconds / statistics.mean(paces),
        "processor_seconds": answers.processor / max(1, done),
        "engine_processor_seconds": statistics.mean(processors),
        "sizes": sizes,
        "statuses": {kind: dict(found) for kind, found in counts.items()},
        "failed_seconds": max((s for kind, status, s in good if status != "200"), default=None),
        "megabytes": {kind: _thirds([each[kind] for each in answers.memory]) for kind in _PROCESSES},
    }


def _thirds(values: list[float]) -> list[float]:
    """Their means in the first, the second and the last third of the time."""
    ends = [len(values) * part // 3 for part in range(4)]
    return [statistics.mean(values[i : max(j, i + 1)]) for i, j in itertools.pairwise(ends)]


def told(found: dict[str, Any]) -> Iterator[str]:
    """The figures in words and tables."""
    rows = [("size", "pictures", "median s", "p99 s", "p99 / median")]
    for kind, each in found["sizes"].items():
        ratio = each["p99"] / each["median"]
        rows.append(
            (kind, str(each["pictures"]), f"{each['median']:.2f}", f"{each['p99']:.2f}", f"{ratio:.1f}")
        )
    yield tables.table(rows)
    yield tables.table(
        [("requests", "answers"), *((k, _counted(v)) for k, v in sorted(found["statuses"].items()))]
    )
    before, after = found["engine_alone"]
    yield (
        f"{found['pictures_a_second']:.2f} pictures/s, {found['share']:.2f} of the engine's own "
        f"({before:.2f} before, {after:.2f} after)."
    )
    yield (
        f"{found['processor_seconds']:.2f} processor seconds a picture, the engine's own "
        f"{found['engine_processor_seconds']:.2f} (sizes in equal numbers)."
    )
    if found["failed_seconds"] is not None:
        yield f"The slowest answer to a good request that failed took {found['failed_seconds']:.2f} s."
    yield "Memory in MB, means of a third of the time each:"
    rows = [(kind, *(f"{each:.0f}" for each in thirds)) for kind, thirds in found["megabytes"].items()]
    yield tables.table([("processes", "first", "second", "last"), *rows])


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
