"""Breaks a copy of the package, one place at a time, and sees whether a test fails for each.

    python scripts/mutants.py                  all mutants of scripts/mutants.txt: a while
    python scripts/mutants.py masks flip       those with one of these words in file or description
    python scripts/mutants.py --list flip      names them

First the tests are run on the package as it is: they have to pass. The exit status is 1 if a mutant survives,
2 if the tests say nothing about one (they cannot be collected, or fail without it).

The list has, for each file of the package, a line `= FILE @ ARGUMENTS OF PYTEST`, and then for each mutant

    # what it breaks
    - the text that is replaced, which occurs in the file exactly once
    + the text in its place
    @ the arguments of pytest, where other tests than the file's should fail

with as many lines of - and + as the texts have. Needs a system with fork: TensorFlow is imported once.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "scripts" / "mutants.txt"
PACKAGE = "inpainting_tf"
SLOW_TO_IMPORT = ("tensorflow", "keras", "scipy.stats", "cv2", "matplotlib.figure", "pytest")
LOG = Path(tempfile.gettempdir()) / "mutants.log"  # what pytest says of the last one
TIMEOUT = 900  # seconds: a mutant that never ends is noticed, too
KILLED = (1, -signal.SIGALRM)  # pytest: a test failed; or the time was up


@dataclasses.dataclass
class Mutant:
    """A place in the package (`file` from the repository's root), the text there and the one in its place."""

    file: str
    tests: str
    about: str
    text: str = ""
    instead: str = ""

    def mutated(self) -> str:
        """The file's text with the mistake in it."""
        source = (ROOT / self.file).read_text(encoding="utf-8")
        if (found := source.count(self.text)) != 1:
            raise ValueError(f"{self.file} must hold the text once, not {found} times: {self.text!r}")
        return source.replace(self.text, self.instead)


def read(path: Path = LIST) -> list[Mutant]:
    """The mutants of the list, in its order."""
    found: list[Mutant] = []
    file = tests = ""
    for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
        mark, rest = line[0], line[2:]
        if mark == "=":
            file, _, tests = rest.partition(" @ ")
        elif mark == "#":
            found.append(Mutant(file, tests, rest))
        elif mark == "@":
            found[-1].tests = rest
        else:
            field = {"-": "text", "+": "instead"}[mark]
            lines = filter(None, [getattr(found[-1], field), rest])
            setattr(found[-1], field, "\n".join(lines))
    return found


def tried(tests: str, mutant: Mutant | None = None) -> int:
    """Pytest's exit status on a copy of the package, with the mistake where a mutant is given."""
    with tempfile.TemporaryDirectory() as place:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / PACKAGE, Path(place) / PACKAGE, ignore=ignored)
        if mutant:
            (Path(place) / mutant.file).write_text(mutant.mutated(), encoding="utf-8")
        sys.stdout.flush()
        if not (child := os.fork()):
            os._exit(_test(tests, place))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _test(tests: str, place: str) -> int:
    """The child's part: pytest's exit status, or 70 where it did not come to that."""
    try:
        signal.alarm(TIMEOUT)
        log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(ROOT)
        os.environ["PYTHONPATH"] = sys.path[0] = place
        own = importlib.import_module(PACKAGE).__file__ or ""
        if not own.startswith(place):
            raise ImportError(f"{own} is not the copy to be tested")
        pytest = importlib.import_module("pytest")
        status = pytest.main(["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", *shlex.split(tests)])
        sys.stdout.flush()
        return int(status)
    except BaseException:
        traceback.print_exc()
        return 70


def told(what: str, tests: str, mutant: Mutant | None = None) -> int:
    """Prints what came of a run: 0 as it should be, 1 a mutant survived, 2 unclear."""
    began, status = time.monotonic(), tried(tests, mutant)
    if mutant is None:
        outcome, result = ("passes", 0) if status == 0 else (f"fails ({status})", 2)
    elif status in KILLED:
        outcome, result = "killed", 0
    else:
        outcome, result = ("SURVIVED", 1) if status == 0 else (f"unclear ({status})", 2)
    print(f"{outcome:12} {time.monotonic() - began:4.0f} s  {what}", flush=True)
    return result


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="of files or descriptions; default: all mutants")
    parser.add_argument("--list", action="store_true", help="only name them")
    options = parser.parse_args(arguments)
    found = read()
    chosen = [m for m in found if not options.words or any(w in f"{m.file} {m.about}" for w in options.words)]
    if options.list:
        print(*(f"{mutant.file}: {mutant.about}" for mutant in chosen), sep="\n")
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.dont_write_bytecode = True
    for name in SLOW_TO_IMPORT:
        importlib.import_module(name)
    results = [told(f"pytest {tests}", tests) for tests in dict.fromkeys(m.tests for m in chosen)]
    results += [told(f"{mutant.file}: {mutant.about}", mutant.tests, mutant) for mutant in chosen]
    print(f"{len(chosen)} mutants, {results.count(1)} survived, {results.count(2)} unclear")
    return 1 if 1 in results else max(results, default=0)


if __name__ == "__main__":
    sys.exit(main())
