"""What the events of the Benchmarks view give: a visitor's measurement, from the click to its numbers."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from retrieval import Searcher
from retrieval.benchmark.figures.kept import keep_figures
from retrieval.benchmark.measurement_slot import Measurement, MeasurementSlot
from retrieval.search.stores.opening import Where
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.library import Library
from retrieval.ui.api import Api
from retrieval.ui.asking import Asking, place_index
from retrieval.ui.benchmarks.index_frontier import IndexFrontierView
from retrieval.ui.benchmarks.view import BenchmarksView
from retrieval.ui.your_data.own_index import OWN
from tests.benchmark_json import RUN
from tests.conftest import Build, FakeEncoder, MeasureGate, random_texts
from tests.support import PATIENCE_S, in_loop, wait_until


@pytest.fixture
def library(build: Build, encoder: FakeEncoder) -> Library:
    def open_searcher(path: Where, _: Any) -> Searcher:
        return Searcher.open(path, encoder=encoder, verify="never")

    library = Library(open_searcher=open_searcher)
    for number, name in enumerate(("first", "second")):
        library.add(build(random_texts(120, seed=number), name=name).path, as_default=number == 0)
    return library


def view_with(library: Library, slot: MeasurementSlot) -> BenchmarksView:
    def make() -> BenchmarksView:
        with gr.Blocks(analytics_enabled=False):
            asking = Asking(library.open(), place_index(library))
            with gr.Tabs(), gr.Tab("Benchmarks") as tab:
                return BenchmarksView(library, asking, tab, IndexFrontiers(), slot=slot)

    return in_loop(make)


@pytest.fixture
def view(library: Library) -> BenchmarksView:
    return view_with(library, MeasurementSlot())


@pytest.fixture
def held_view(library: Library, gate: MeasureGate) -> BenchmarksView:
    """A view whose measurements are held at the gate."""
    return view_with(library, MeasurementSlot(gate.measure))


def started(view: BenchmarksView, index: str | None = None) -> Measurement:
    update = view.start(index, None, None)
    assert isinstance(update[view.running], Measurement)
    return update[view.running]  # type: ignore[no-any-return]


def finished(view: BenchmarksView, measurement: Measurement, results: Any) -> dict[Any, Any]:
    wait_until(lambda: measurement.is_over)
    return view.poll(measurement, results)


def test_a_measurement_ends_with_its_numbers_and_a_column(view: BenchmarksView) -> None:
    update = finished(view, started(view), {})
    assert "Measured on this machine" in update[view.panel]
    assert "Measured by you" in update[view.claims]
    assert len(update[view.results]) == 1
    assert update[view.running] is None


def test_while_it_runs_there_is_a_progress_bar(held_view: BenchmarksView) -> None:
    measurement = started(held_view)
    assert "progressbar" in held_view.poll(measurement, {})[held_view.panel]
    assert held_view.start(None, None, measurement) == {held_view.running: measurement}  # a second click starts nothing


def test_a_second_visitor_is_told_to_wait(held_view: BenchmarksView) -> None:
    started(held_view)
    update = held_view.start(None, None, None)
    assert "Someone else is measuring" in update[held_view.panel]
    assert update[held_view.running] is None


def test_cancel_frees_the_desk(held_view: BenchmarksView, gate: MeasureGate) -> None:
    measurement = started(held_view)
    assert "Cancelled" in held_view.stop(measurement)[held_view.panel]
    gate.opened.set()
    assert measurement.wait(PATIENCE_S)
    assert measurement.figures is None
    assert started(held_view).wait(PATIENCE_S)


def test_another_index_ends_the_measurement_and_shows_its_own(held_view: BenchmarksView) -> None:
    measurement = started(held_view, "first")
    update = held_view.show("second", None, measurement, {})
    assert measurement.is_cancelled
    assert "100 texts" in update[held_view.panel]
    assert held_view.show("first", None, None, {}).keys() >= {held_view.claims, held_view.plots, held_view.panel}


def test_coming_back_to_an_index_shows_what_the_visitor_measured(view: BenchmarksView) -> None:
    results = finished(view, started(view, "first"), {})[view.results]
    assert "Measured on this machine" not in view.show("second", None, None, results)[view.panel]
    assert "Measured on this machine" in view.show("first", None, None, results)[view.panel]


def test_kept_figures_are_shown_for_their_own_index_only(view: BenchmarksView, library: Library) -> None:
    bundle = library.open("first").bundle
    own = {**RUN["index"], "binary_sha256": bundle.manifest.files["binary.faiss"].sha256}
    keep_figures(bundle, {**RUN, "index": own})
    assert "22.20x" in view.show("first", None, None, {})[view.claims]
    assert "22.20x" not in view.show("second", None, None, {})[view.claims]


def test_nothing_is_sent_before_the_view_is_open(view: BenchmarksView) -> None:
    assert [part.value for part in (view.claims, view.plots, view.standing, view.panel)] == [None] * 4
    assert view.claims not in view.follow_index("search", "second", None, None, {})
    assert "claims" in view.follow_index("benchmarks", "second", None, None, {})[view.claims]


def test_an_index_that_is_not_there_is_reported(view: BenchmarksView) -> None:
    assert "no index called" in view.start("third", None, None)[view.panel]
    assert "no index called" in view.show("third", None, None, {})[view.panel]


def test_a_failure_is_reported(library: Library) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    view = view_with(library, MeasurementSlot(fail))
    assert "Nothing was measured" in finished(view, started(view), {})[view.panel]


def test_a_timer_without_a_measurement_stops(view: BenchmarksView) -> None:
    assert view.poll(None, {}).keys() == {view.timer}


def test_the_frontier_of_an_index_is_measured_once_for_all_visitors(library: Library) -> None:
    def make() -> IndexFrontierView:
        with gr.Blocks(analytics_enabled=False):
            asking = Asking(library.open(), place_index(library))
            with gr.Tabs(), gr.Tab("Benchmarks") as tab:
                return IndexFrontierView(library, asking, frontiers, tab)

    frontiers = IndexFrontiers()
    view = in_loop(make)
    assert view.show("first", None, None)[view.panel.kept] is None
    assert "progressbar" in view.measure("first", None)[view.progress]
    assert "progressbar" in view.show("first", None, None)[view.progress]  # another visitor, meanwhile
    wait_until(lambda: view.panel.kept in view.poll("first", None))
    shown = view.measure("first", None)
    frontier = shown[view.panel.kept]
    assert frontier.num_vectors + frontier.num_queries == 120
    assert view.show("first", None, None)[view.panel.kept] is frontier
    assert view.panel.kept not in view.show("first", None, frontier)
    assert view.show("second", None, frontier)[view.panel.kept] is None
    assert "Your data" in view.measure(OWN, None)[view.progress]
    frontiers.close()


def test_a_program_gets_the_frontier_of_an_index_and_clear_errors(library: Library) -> None:
    def make() -> Api:
        with gr.Blocks(analytics_enabled=False):
            return Api(library, frontiers)

    frontiers = IndexFrontiers()
    api = in_loop(make)
    values = api.frontier(index="second", target=0.9, num_vectors=5_000)
    assert values["num_given"] == 120
    assert values["recommendation"]["best"]["recall"]["mean"] >= 0.9
    assert values["recommendation"]["wish"]["num_vectors"] == 5_000
    assert frontiers.kept(library.open("first")) is None
    with pytest.raises(gr.Error, match="target recall"):
        api.frontier(index="second", target=2.0)
    frontiers.close()
