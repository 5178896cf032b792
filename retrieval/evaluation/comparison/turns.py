"""Timing several searches fairly: quick ones alternate, in rotating order, over several rounds.

The first search after a scan of a gigabyte pays for the caches that the scan emptied. So each search is run once
before it is timed, slow ones are timed by themselves, and the quick ones take turns going first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median_low
from typing import Generic, TypeVar

from retrieval.evaluation.way import Work

NUM_ROUNDS = 5
_FEWEST_ROUNDS = 3
_NUM_SLOW_RUNS = 2
QUICK_MS = 20.0
"""A slower search is timed by itself: it would empty the caches of the others in every round."""
_LONG_MS = 100.0
"""After this time, nothing is run again."""

Clock = Callable[[], float]
"""Seconds from any start, as `time.perf_counter`."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Timed(Generic[Answer]):
    """What a search answered, and how long its runs took."""

    answer: Answer
    times_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """Returns the median; of an even number of runs the lower one, so that other programs count as little."""
        return median_low(self.times_ms)


def in_turns(
    searches: Mapping[str, Callable[[], Answer]], *, are_warm: bool = True, clock: Clock = time.perf_counter
) -> dict[str, Timed[Answer]]:
    """Returns what each search answers and its times, in milliseconds.

    Args:
        searches: by name; slow ones should come first.
        are_warm: whether their files have been read before; otherwise each search is run an extra time, untimed.
        clock: what measures the time.
    """
    answers: dict[str, Answer] = {}
    times_ms: dict[str, list[float]] = {name: [] for name in searches}

    def run(name: str) -> float:
        start = clock()
        answers[name] = searches[name]()
        return (clock() - start) * 1e3

    quick = []
    for name in searches:
        if not are_warm:
            run(name)
        first_ms = run(name)
        if first_ms <= QUICK_MS:
            quick.append(name)
            continue
        times_ms[name].append(first_ms)
        while len(times_ms[name]) < _NUM_SLOW_RUNS and sum(times_ms[name]) < _LONG_MS:
            times_ms[name].append(run(name))
    spent_ms = 0.0
    for round_number in range(NUM_ROUNDS):
        if round_number >= _FEWEST_ROUNDS and spent_ms >= _LONG_MS:
            break
        for place in range(len(quick)):
            name = quick[(round_number + place) % len(quick)]
            times_ms[name].append(run(name))
            spent_ms += times_ms[name][-1]
    return {name: Timed(answers[name], tuple(times_ms[name])) for name in searches}


def times_shown(medians_ms: Mapping[str, float], work: Mapping[str, Work]) -> dict[str, float]:
    """Returns the times of searches, none above that of a search that does all of its work and more.

    A part of a search takes no longer than the search: if noise says otherwise, the longer time is wrong.
    """
    return {
        name: min(medians_ms[other] for other in medians_ms if other == name or includes(work[other], work[name]))
        for name in medians_ms
    }


def includes(work: Work, other: Work) -> bool:
    """Returns whether a search with this work does all that another does, in each step as much or more."""
    return all(work.get(step, 0) >= count for step, count in other.items())
