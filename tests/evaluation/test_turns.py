"""Timing in turns, by a clock that the searches themselves move: no test here depends on how fast the machine is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from retrieval import Searcher
from retrieval.evaluation.comparison.compare import compare
from retrieval.evaluation.comparison.turns import NUM_ROUNDS, QUICK_MS, in_turns, includes, times_shown
from retrieval.evaluation.published import RawRescored
from retrieval.evaluation.ways import Bits, Float32, FloatBits, Ours
from retrieval.results import SearchSettings
from tests.conftest import Build, FakeEncoder, random_texts


class Machine:
    """Searches that take as long as they are told to, and longer right after a slow one, which empties the caches."""

    def __init__(self, **took_ms: float) -> None:
        self.now_s = 0.0
        self.ran: list[str] = []
        self.searches: dict[str, Callable[[], str]] = {
            name: partial(self._run, name, own_ms) for name, own_ms in took_ms.items()
        }
        self._slow = {name for name, own_ms in took_ms.items() if own_ms > QUICK_MS}

    def clock(self) -> float:
        return self.now_s

    def _run(self, name: str, own_ms: float) -> str:
        pays = 6.0 if name not in self._slow and self.ran and self.ran[-1] in self._slow else 0.0
        self.now_s += (own_ms + pays) / 1e3
        self.ran.append(name)
        return f"answer of {name}"

    def times(self, *, are_warm: bool = True) -> dict[str, tuple[float, ...]]:
        found = in_turns(self.searches, are_warm=are_warm, clock=self.clock)
        assert {name: each.answer for name, each in found.items()} == {name: f"answer of {name}" for name in found}
        return {name: each.times_ms for name, each in found.items()}


def test_no_quick_search_pays_for_a_slow_one() -> None:
    times = Machine(float32=80.0, bits=2.0, published=2.5, ours=3.0).times()
    for name, own_ms in (("bits", 2.0), ("published", 2.5), ("ours", 3.0)):
        assert times[name] == pytest.approx([own_ms] * NUM_ROUNDS)


def test_each_quick_search_goes_first_in_some_round() -> None:
    machine = Machine(a=1.0, b=1.0, c=1.0)
    machine.times()
    rounds = [machine.ran[3 + 3 * number : 6 + 3 * number] for number in range(NUM_ROUNDS)]
    assert rounds[:4] == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_slow_searches_are_repeated_little_and_not_between_quick_ones() -> None:
    machine = Machine(float32=80.0, int8=25.0, bits=2.0)
    times = machine.times()
    assert [len(times[name]) for name in ("float32", "int8")] == [2, 2]
    assert machine.ran == ["float32"] * 2 + ["int8"] * 2 + ["bits"] * (1 + NUM_ROUNDS)


def test_the_first_reading_of_a_file_is_not_timed() -> None:
    machine = Machine(float32=80.0, bits=2.0)
    assert [len(own) for own in machine.times(are_warm=False).values()] == [2, NUM_ROUNDS]
    assert machine.ran.count("float32") == 3


def test_searches_that_take_long_together_have_fewer_rounds() -> None:
    assert [len(own) for own in Machine(a=15.0, b=19.0, c=19.0).times().values()] == [3, 3, 3]


WAYS = {"bits": Bits(), "published": RawRescored(), "float_bits": FloatBits(1000), "ours": Ours(SearchSettings())}
WORK = {name: way.work(num_texts=5000, top_k=10) for name, way in WAYS.items()}


def test_bits_alone_are_part_of_every_way_that_starts_from_bits() -> None:
    contained = {
        name: {other for other in WAYS if other != name and includes(WORK[other], WORK[name])} for name in WAYS
    }
    assert contained == {
        "bits": {"published", "float_bits", "ours"},
        "published": {"ours"},
        "float_bits": {"ours"},
        "ours": set(),
    }


def test_scans_contain_no_other_way() -> None:
    scan = Float32().work(5000, 10)
    assert not any(includes(scan, work) or includes(work, scan) for work in WORK.values())


def test_contained_work_is_never_shown_as_slower_however_noisy_the_clock() -> None:
    measured = {"bits": 5.0, "published": 2.0, "float_bits": 4.0, "ours": 3.0}
    assert times_shown(measured, WORK) == {"bits": 2.0, "published": 2.0, "float_bits": 3.0, "ours": 3.0}
    right = {"bits": 1.0, "published": 2.0, "float_bits": 2.5, "ours": 3.0}
    assert times_shown(right, WORK) == right


def test_a_comparison_never_shows_more_work_as_faster(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(random_texts(300)).path, encoder=encoder, verify="never")
    now = [0.0]

    def clock() -> float:
        # Of the runs that are timed one after the other, each takes less than the one before.
        now[0] += 1.0 / (1.0 + now[0])
        return now[0]

    found = compare(searcher, "sort a list", searcher.defaults, clock=clock)
    times = {answer.key: answer.time_ms for answer in found.answers}
    for answer in found.answers:
        for other in found.answers:
            own_ms, other_ms = times[answer.key], times[other.key]
            assert own_ms is not None
            assert other_ms is not None
            assert own_ms <= other_ms or not includes(other.work, answer.work), (answer.key, other.key)
