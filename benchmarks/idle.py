"""Samples of a machine that has nothing else to do: those taken while other programs ran are rejected.

The kernel counts the time that all processors were busy (/proc/stat) and what of it this process and the ones
that it has waited for had. The rest was other programs', the kernel's, or another machine's on the same host.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

TICKS = 2  # of the kernel's clock, by which its counts and the process's may differ
PATIENCE = 4  # samples taken at most for each one wanted


@dataclasses.dataclass(frozen=True)
class Usage:
    """Seconds since some moment in the past: by the clock, of all processors' work, of this process's.

    `busy` is None where the system does not tell.
    """

    clock: float
    busy: float | None
    own: float


def busy_seconds(stat: str, ticks_per_second: int) -> float:
    """The work of all processors in the text of /proc/stat, in seconds; what a host withholds is work too."""
    user, nice, system, _idle, _waiting, *others = map(int, stat.splitlines()[0].split()[1:9])
    return (user + nice + system + sum(others)) / ticks_per_second


def usage() -> Usage:
    """Now."""
    try:
        stat = Path("/proc/stat").read_text(encoding="utf-8")
        busy = busy_seconds(stat, os.sysconf("SC_CLK_TCK"))
    except OSError:  # not Linux
        busy = None
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Usage(time.perf_counter(), busy, sum(used.ru_utime + used.ru_stime for used in each))


def other_share(before: Usage, after: Usage, cores: int, ticks_per_second: int = 100) -> float:
    """The share of all cores' time that others worked in between: 0 to 1, and 0 where it is not known."""
    if before.busy is None or after.busy is None:
        return 0.0
    others = (after.busy - before.busy) - (after.own - before.own) - TICKS / ticks_per_second
    return min(1.0, max(0.0, others / (cores * (after.clock - before.clock))))


@dataclasses.dataclass
class Samples:
    """A side's samples that count, and the shares of others' work in those that do not."""

    kept: list[float] = dataclasses.field(default_factory=list)
    rejected: list[float] = dataclasses.field(default_factory=list)

    def add(self, value: float, others: float, limit: float) -> None:
        """Keeps a value unless others had more than `limit` of the machine while it was taken."""
        if others > limit:
            self.rejected.append(others)
        else:
            self.kept.append(value)

    @property
    def median(self) -> float | None:
        """Of those kept; None if there are none."""
        return statistics.median(self.kept) if self.kept else None


def watched(sample: Callable[[], float]) -> tuple[float, float]:
    """A sample's value, and the share of the machine that others had meanwhile."""
    before = usage()
    value = sample()
    return value, other_share(before, usage(), os.cpu_count() or 1, os.sysconf("SC_CLK_TCK"))


def in_turns(
    sides: Mapping[str, Callable[[], float]],
    wanted: int,
    limit: float,
    watch: Callable[[Callable[[], float]], tuple[float, float]] = watched,
) -> dict[str, Samples]:
    """Samples of each side in turns, until each has as many as are wanted.

    Args:
        sides: functions that take a sample and return its value.
        wanted: samples of each that count; `PATIENCE` times as many are taken at most.
        limit: the largest share of the machine that others may have had.
        watch: takes a sample, and says what others had meanwhile.
    """
    found = {name: Samples() for name in sides}
    for _ in range(PATIENCE * wanted):
        for name, sample in sides.items():
            if len(found[name].kept) < wanted:
                found[name].add(*watch(sample), limit)
    return found
