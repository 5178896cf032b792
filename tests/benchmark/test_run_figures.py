"""Figures are read as they were written, and a file that was not written so is read as far as it goes."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from retrieval.benchmark.figures.judged import Kept, read_judged
from retrieval.benchmark.figures.reading import count_at, number_at, read_object, text_at
from retrieval.benchmark.figures.run import PeerPoint, RunFigures, Spread, SweepPoint
from tests.benchmark_json import HOSTILE, JUDGED, RUN, spoiled


def test_a_run_is_read_as_it_was_written() -> None:
    run = RunFigures.from_json(RUN)
    assert (run.cpu, run.cores, run.threads, run.rows, run.dim) == ("A processor", 2, 2, 1000, 64)
    assert run.ratios == {"int8": Spread(2.0, 4.4, 6.0), "binary": Spread(11.0, 22.2, 33.0)}
    assert run.recalls["ours"] == {"questions": 0.993}
    assert run.recalls["float32"] == {"questions": 1.0}
    assert run.frontier["questions"][1] == SweepPoint(1000, 200, 0.99, 2.0)
    assert run.default_setting == (1000, 200)
    assert [size.float32_bytes for size in run.growth] == [256_000, 5_120_000]
    assert run.peers == {"questions": (PeerPoint("A graph", 1.5, 0.98),)}
    assert run.quick is not None
    assert run.quick.ratios["binary"] == 25.0


@pytest.mark.parametrize("nothing", [None, [], {}, "", 3, {"parts": []}, {"parts": {"scans": None, "quick": None}}])
def test_nothing_is_read_from_nothing(nothing: object) -> None:
    run = RunFigures.from_json(nothing)
    assert (run.ratios, run.recalls, run.sweep, run.growth) == ({}, {}, {}, ())


def test_a_run_with_a_part_that_failed_has_the_others() -> None:
    broken = deepcopy(RUN)
    broken["parts"]["scans"] = {"error": "a kernel is missing"}
    run = RunFigures.from_json(broken)
    assert run.ratios == {}
    assert run.recalls.keys() == {"ours", "reference_4x"}


@pytest.mark.parametrize("load", [(0.5, False), (2.0, False), (2.1, True), (None, False)])
def test_a_run_during_other_work_says_so(load: tuple[float | None, bool]) -> None:
    assert RunFigures.from_json({**RUN, "load_average": load[0]}).is_busy is load[1]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_of_another_kind_is_not_there(value: object) -> None:
    number = number_at({"a": value}, "a")
    assert number is None or -1 <= number <= 0
    assert count_at({"a": value}, "a") in (None, 0)
    assert text_at({"a": value}, "a") in (None, "<script>alert(1)</script>")


def test_no_spoiled_value_stops_the_reading() -> None:
    for run in spoiled(RUN):
        RunFigures.from_json(run)


def test_collections_come_from_every_file_and_those_alone_first(tmp_path: Path) -> None:
    planted = deepcopy(JUDGED)
    planted["collections"][0]["distractors"] = {"planted": 5000}
    (tmp_path / "judged-a.json").write_text(json.dumps(planted))
    (tmp_path / "judged-b.json").write_text(json.dumps(JUDGED))
    (tmp_path / "judged-c.json").write_text("[")
    found = read_judged(tmp_path)
    assert [each.name for each in found] == ["medicine", "medicine among 5,000"]
    assert found[0].rungs[1].kept == Kept(99.2, 98.2, 100.2)
    assert found[0].curves == {"binary_depth_10": ((1, 90.0), (4, 96.0))}


def test_a_folder_that_is_not_there_has_no_figures(tmp_path: Path) -> None:
    assert read_judged(tmp_path / "none") == ()
    assert read_object(tmp_path / "none.json") is None
