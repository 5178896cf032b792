"""One measurement at a time, which can be ended, and leaves searches alone."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from retrieval import QueryError, Searcher
from retrieval.benchmark.figures.run import RunFigures
from retrieval.benchmark.measurement_slot import MeasurementSlot
from retrieval.benchmark.sampled_queries import TEXTS, VECTORS, sampled_queries
from tests.conftest import Build, FakeEncoder, MeasureGate, random_texts
from tests.support import PATIENCE_S, wait_until

CORPUS = random_texts(150)


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(CORPUS).path, encoder=encoder, verify="never")


def test_a_measurement_names_machine_index_and_queries(searcher: Searcher) -> None:
    measurement = MeasurementSlot().start(searcher)
    assert measurement is not None
    wait_until(lambda: measurement.is_over)
    run = RunFigures.from_json(measurement.figures)
    assert run.cpu
    assert (run.rows, run.dim, run.query_sets) == (150, 64, {TEXTS: 100})
    assert run.quick is not None
    assert run.quick.scans.keys() == {"float32", "int8", "binary"}


def test_one_measurement_runs_at_a_time(searcher: Searcher, gate: MeasureGate) -> None:
    slot = MeasurementSlot(gate.measure)
    first = slot.start(searcher)
    assert first is not None
    assert slot.start(searcher) is None
    gate.opened.set()
    wait_until(lambda: first.is_over)
    second = slot.start(searcher)
    assert second is not None
    wait_until(lambda: second.is_over)


def test_searches_are_answered_during_a_measurement(searcher: Searcher, gate: MeasureGate) -> None:
    measurement = MeasurementSlot(gate.measure).start(searcher)
    assert measurement is not None
    assert searcher.search(CORPUS[3]).hits[0].row == 3
    assert not measurement.is_over


def test_a_cancelled_measurement_has_no_figures(searcher: Searcher, gate: MeasureGate) -> None:
    measurement = MeasurementSlot(gate.measure).start(searcher)
    assert measurement is not None
    measurement.cancel()
    gate.opened.set()
    wait_until(lambda: measurement.is_over)
    assert (measurement.figures, measurement.error, measurement.is_cancelled) == (None, None, True)


def test_a_measurement_that_nobody_polls_is_stopped(searcher: Searcher) -> None:
    measurement = MeasurementSlot(abandoned_after_s=-1.0).start(searcher)
    assert measurement is not None
    wait_until(lambda: measurement.is_over)
    assert measurement.figures is None


@pytest.mark.parametrize(("error", "told"), [(QueryError("no room"), "no room"), (ZeroDivisionError(), "log")])
def test_a_failed_measurement_says_why_and_lets_the_next_one_start(
    searcher: Searcher, error: Exception, told: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    slot = MeasurementSlot(fail)
    measurement = slot.start(searcher)
    assert measurement is not None
    wait_until(lambda: measurement.is_over)
    assert told in (measurement.error or "")
    again = slot.start(searcher)
    assert again is not None
    wait_until(lambda: again.is_over)


@pytest.mark.parametrize("baseline", [True, False])
def test_an_index_without_a_model_is_asked_with_its_vectors(build: Build, baseline: bool) -> None:
    searcher = Searcher(build(CORPUS, baseline=baseline), None)
    sampled = sampled_queries(searcher, 20, 0)
    assert sampled.name == VECTORS
    assert np.allclose(np.linalg.norm(np.asarray(sampled.queries), axis=1), 1.0, atol=1e-5)
    measurement = MeasurementSlot().start(searcher)
    assert measurement is not None
    wait_until(lambda: measurement.is_over)
    quick = RunFigures.from_json(measurement.figures).quick
    assert quick is not None
    assert (quick.recall is not None) is baseline
    assert bool(quick.not_measured) is not baseline


def test_the_same_seed_draws_the_same_texts(searcher: Searcher) -> None:
    draws = [sampled_queries(searcher, 20, seed).queries for seed in (0, 0, 1)]
    assert list(draws[0]) == list(draws[1])
    assert list(draws[0]) != list(draws[2])
    assert set(draws[0]) <= set(CORPUS)


def test_an_index_that_was_measured_can_be_freed(build: Build) -> None:
    slot = MeasurementSlot(lambda *_, **__: {"load_average": 0, "threads": 1, "queries": 1})
    searcher = Searcher.open(build(CORPUS).path, encoder=FakeEncoder(), verify="never")
    kept = weakref.ref(searcher)
    measurement = slot.start(searcher)
    assert measurement is not None
    assert measurement.wait(PATIENCE_S)
    del searcher, measurement
    wait_until(lambda: gc.collect() is not None and kept() is None)
