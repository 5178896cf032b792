"""The bounded measurement that the page's button runs."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from retrieval import QueryError, Searcher
from retrieval.benchmark.quick import PRECISIONS, measure_quickly, ratios
from retrieval.benchmark.timings import Timings, percentiles, timed
from tests.conftest import Build, FakeEncoder, random_texts

TEXTS = random_texts(300)
Open = Callable[..., Searcher]


@pytest.fixture
def opened(build: Build, encoder: FakeEncoder) -> Open:
    return lambda **options: Searcher.open(build(TEXTS, **options).path, encoder=encoder, verify="never")


def test_every_precision_is_measured_and_float32_is_once_as_fast_as_itself(opened: Open) -> None:
    figures = measure_quickly(opened(), TEXTS[:20])
    assert tuple(figures["scans"]) == PRECISIONS
    assert figures["ratios"]["float32"] == 1.0
    assert figures["recall"]["queries"] == 20
    assert figures["recall"]["mean"] > 0.98  # every text is a candidate, and nearly all are rescored
    assert figures["path"]["samples"] == 20
    json.dumps(figures)


def test_without_the_baseline_it_says_what_is_missing_and_how_to_get_it(opened: Open) -> None:
    figures = measure_quickly(opened(baseline=False), TEXTS[:5])
    assert [*figures["scans"]] == ["int8", "binary"]
    assert (figures["ratios"], figures["recall"]) == ({}, None)
    assert "--no-baseline" in figures["not_measured"][0]["how_to_get_it"]


def test_a_spent_budget_takes_three_repeats(opened: Open) -> None:
    figures = measure_quickly(opened(), TEXTS[:20], budget_s=0)
    assert figures["path"]["samples"] == 3
    assert {scan["samples"] for scan in figures["scans"].values()} == {3}


def test_an_index_without_a_model_is_measured_with_vectors(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher(build(TEXTS), None)
    assert measure_quickly(searcher, encoder.encode(TEXTS[:4]))["recall"]["queries"] == 4


def test_progress_goes_from_nothing_to_all(opened: Open) -> None:
    told: list[float] = []
    measure_quickly(opened(), TEXTS[:3], lambda share, what: told.append(share))
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert told == sorted(told)


def test_no_query_is_refused(opened: Open) -> None:
    with pytest.raises(QueryError, match="no query"):
        measure_quickly(opened(), [])


def test_ratios_are_of_medians() -> None:
    scans = {"float32": {"p50_ms": 80.0}, "int8": {"p50_ms": 20.0}, "binary": {"p50_ms": 2.0}}
    assert ratios(scans) == {"float32": 1.0, "int8": 4.0, "binary": 40.0}


def test_percentiles_are_those_of_the_values() -> None:
    assert percentiles(list(range(101))) == {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0}


def test_a_batch_is_timed_by_item_and_its_result_is_given() -> None:
    timings = Timings()
    assert timings.add(lambda values: values.sum(), np.ones(4), items=1_000_000_000) == 4
    assert timings.wall_ms[0] < 1e-3


def test_the_call_that_warms_up_is_not_counted() -> None:
    asked: list[int] = []
    assert timed(asked.append, [1, 2, 3], until=float("inf")).to_json()["samples"] == 3
    assert asked == [1, 1, 2, 3]
