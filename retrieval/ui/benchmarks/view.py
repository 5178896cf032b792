"""The Benchmarks view: a recommendation, the article's claims next to what was measured, what vectors cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from retrieval.benchmark.figures.kept import kept_figures
from retrieval.benchmark.figures.run import RunFigures
from retrieval.benchmark.measurement_slot import Measurement, MeasurementSlot
from retrieval.errors import RetrievalError
from retrieval.search.searcher import Searcher
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.library import Library
from retrieval.ui.asking import OF_OPEN_VIEW, Asking, searcher_of
from retrieval.ui.benchmarks.cost_table import place_cost_panel
from retrieval.ui.benchmarks.evidence import claims_section, plots_section
from retrieval.ui.benchmarks.index_frontier import IndexFrontierView
from retrieval.ui.benchmarks.needs import NeedsView
from retrieval.ui.benchmarks.quick_panel import offer, result, told, under_way
from retrieval.ui.benchmarks.standing import published_run, published_sections
from retrieval.ui.markup import error_words
from retrieval.ui.theme import QUIET
from retrieval.ui.views import Update
from retrieval.ui.your_data.own_index import OwnIndex

_SLOT = MeasurementSlot()
_POLL_S = 0.4
Results = Mapping[str, dict[str, Any]]
"""What a visitor measured, by SHA-256 of the codes of the index."""


class BenchmarksView:
    """Builds the view inside the `gr.Blocks` that is open, and answers its own events."""

    def __init__(
        self,
        library: Library,
        asking: Asking,
        tab: gr.Tab,
        frontiers: IndexFrontiers,
        *,
        slot: MeasurementSlot = _SLOT,
    ) -> None:
        self._library = library
        self._slot = slot
        self.running = gr.State(None, delete_callback=_cancel)
        self.results = gr.State({})
        # This is read when the tab opens: most visitors never open it.
        with gr.Column(elem_id="benchmarks"):
            NeedsView(library, asking, frontiers, tab)
            IndexFrontierView(library, asking, frontiers, tab)
            self.claims = gr.HTML(elem_id="bench-claims", apply_default_css=False)
            with gr.Row(elem_id="measure-buttons"):
                self.start_button = gr.Button("Measure on this machine", variant="primary", elem_id="measure", scale=0)
                self.stop_button = gr.Button("Cancel", elem_id="stop-measuring", scale=0, visible=False)
            self.panel = gr.HTML(elem_id="bench-measured", apply_default_css=False)
            self.plots = gr.HTML(elem_id="bench-plots", apply_default_css=False)
            self.standing = gr.HTML(elem_id="bench-standing", apply_default_css=False)
            with gr.Accordion("What vectors cost, by arithmetic, as in the article", open=False, elem_id="cost-fold"):
                place_cost_panel()
        self.timer = gr.Timer(_POLL_S, active=False)
        self._wire(asking, tab)

    def _wire(self, asking: Asking, tab: gr.Tab) -> None:
        choice = [asking.index, asking.own]
        under_way_outputs = [self.running, self.panel, self.start_button, self.stop_button, self.timer]
        self.start_button.click(self.start, [*choice, self.running], under_way_outputs, **QUIET)
        self.stop_button.click(self.stop, self.running, under_way_outputs, **QUIET)
        self.timer.tick(
            self.poll, [self.running, self.results], [*under_way_outputs, self.results, self.claims], **QUIET
        )
        shown = [*under_way_outputs, self.claims, self.plots, self.standing]
        tab.select(self.show, [*choice, self.running, self.results], shown, **QUIET)
        gr.on(
            [asking.index.change, asking.own.change],
            self.follow_index, [asking.active, *choice, self.running, self.results], shown, js=OF_OPEN_VIEW, **QUIET,
        )  # fmt: skip

    def follow_index(
        self, active: str, index: str | None, own: OwnIndex | None, running: Measurement | None, results: Results
    ) -> Update:
        """Returns the view for the index that was just selected, if the view is open; otherwise it waits."""
        if active == "benchmarks":
            return self.show(index, own, running, results)
        _cancel(running)
        return self._idle("")

    def show(self, index: str | None, own: OwnIndex | None, running: Measurement | None, results: Results) -> Update:
        """Returns the view for the selected index; a measurement of another one is ended."""
        try:
            searcher = searcher_of(self._library, index, own)
        except RetrievalError as error:
            return {self.panel: told("This index cannot be measured now.", error_words(error), is_error=True)}
        if running is not None and running.searcher is searcher:
            return {self.running: running}
        _cancel(running)
        claims, plots = _evidence(searcher, results)
        return {
            **self._idle(_panel(searcher, results)),
            self.claims: claims,
            self.plots: plots,
            self.standing: published_sections(),
        }

    def start(self, index: str | None, own: OwnIndex | None, running: Measurement | None) -> Update:
        """Returns the progress bar of a new measurement, or why none was started."""
        try:
            searcher = searcher_of(self._library, index, own)
        except RetrievalError as error:
            return self._idle(told("Nothing was measured.", error_words(error), is_error=True))
        if running is not None and not running.is_over:
            return {self.running: running}  # a second click
        measurement = self._slot.start(searcher)
        if measurement is None:
            return self._idle(
                told("Someone else is measuring.", "Two measurements would disturb each other: try again in a minute.")
            )
        return {
            self.running: measurement,
            self.panel: under_way(0.0, measurement.what),
            self.start_button: gr.Button(interactive=False),
            self.stop_button: gr.Button(visible=True),
            self.timer: gr.Timer(active=True),
        }

    def stop(self, running: Measurement | None) -> Update:
        """Returns the view after the visitor ended the measurement."""
        _cancel(running)
        return self._idle(told("Cancelled.", "No result was kept."))

    def poll(self, running: Measurement | None, results: Results) -> Update:
        """Returns how far a measurement is, or its result."""
        if running is None:
            return {self.timer: gr.Timer(active=False)}
        if not running.is_over:
            return {self.panel: under_way(running.share, running.what)}
        if running.figures is None:
            if running.error is not None:
                return self._idle(told("Nothing was measured.", running.error, is_error=True))
            return self._idle(told("Cancelled.", "No result was kept."))
        measured = {**results, _name(running.searcher): running.figures}
        claims, _ = _evidence(running.searcher, measured)
        return {**self._idle(_panel(running.searcher, measured)), self.results: measured, self.claims: claims}

    def _idle(self, panel: str) -> Update:
        return {
            self.running: None,
            self.panel: panel,
            self.start_button: gr.Button(interactive=True),
            self.stop_button: gr.Button(visible=False),
            self.timer: gr.Timer(active=False),
        }


def _cancel(running: Measurement | None) -> None:
    if running is not None:
        running.cancel()


def _name(searcher: Searcher) -> str:
    return searcher.manifest.files["binary.faiss"].sha256


def _own_run(searcher: Searcher, results: Results) -> RunFigures | None:
    figures = results.get(_name(searcher))
    return None if figures is None else RunFigures.from_json(figures)


def _evidence(searcher: Searcher, results: Results) -> tuple[str, str]:
    """Returns the table of claims and the plots of an index."""
    figures = kept_figures(searcher.bundle) if searcher.has_files else None
    kept = None if figures is None else RunFigures.from_json(figures)
    manifest = searcher.manifest
    claims = claims_section(manifest, kept, _own_run(searcher, results), published_run())
    return claims, plots_section(manifest, kept)


def _panel(searcher: Searcher, results: Results) -> str:
    run = _own_run(searcher, results)
    if run is None or run.quick is None:
        return offer(searcher.manifest, searcher.can_encode)
    return result(run, run.quick)
