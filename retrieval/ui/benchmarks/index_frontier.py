"""The frontier of the selected index: a button that measures it, the progress, and the result for all visitors."""

from __future__ import annotations

import gradio as gr

from retrieval.errors import RetrievalError
from retrieval.evaluation.frontier.points import Frontier
from retrieval.search.searcher import Searcher
from retrieval.serving.child_process import JobStatus
from retrieval.serving.frontiers import MAX_QUERIES, MAX_VECTORS, IndexFrontiers
from retrieval.serving.library import Library
from retrieval.ui.asking import Asking, searcher_of
from retrieval.ui.benchmarks.quick_panel import told, under_way
from retrieval.ui.frontier.panel import FrontierPanel
from retrieval.ui.markup import error_words
from retrieval.ui.theme import QUIET
from retrieval.ui.views import Update
from retrieval.ui.your_data.own_index import OWN, OwnIndex

_POLL_S = 0.5
_HEAD = (
    '<section class="bench"><h2>How far can the vectors of this index be compressed?</h2><p>Every scheme of '
    f"faiss and of this project on {MAX_VECTORS:,} vectors sampled from the index, with {MAX_QUERIES} of them held "
    "out as queries: alone, rescored, and with fewer dimensions. Programs get the same from the endpoint "
    "<code>/frontier</code>.</p></section>"
)
_OWN = "To measure your own index, open Your data."
_FAILED = "The measurement failed. Try again in a minute."


class IndexFrontierView:
    """Builds its part of the view inside the layout that is open, and answers its own events."""

    def __init__(self, library: Library, asking: Asking, frontiers: IndexFrontiers, tab: gr.Tab) -> None:
        self._library, self._frontiers = library, frontiers
        gr.HTML(_HEAD, apply_default_css=False)
        self.button = gr.Button("Measure the frontier", elem_id="bench-measure-frontier", scale=0, min_width=190)
        self.progress = gr.HTML("", elem_id="bench-frontier-progress", apply_default_css=False)
        self.panel = FrontierPanel("bench")
        self.timer = gr.Timer(_POLL_S, active=False)
        choice = [asking.index, asking.own]
        outputs = [self.button, self.progress, self.timer, *self.panel.outputs]
        self.button.click(self.measure, choice, outputs, **QUIET)
        self.timer.tick(self.poll, choice, outputs, **QUIET)
        changes = [tab.select, asking.index.change, asking.own.change]
        gr.on(changes, self.show, [*choice, self.panel.kept], outputs, **QUIET)

    def show(self, index: str | None, own: OwnIndex | None, shown: Frontier | None) -> Update:
        """Returns the frontier of the selected index, if it was measured; what is already `shown` stays."""
        try:
            searcher = searcher_of(self._library, index, own)
        except RetrievalError:
            return self._idle("")
        if index == OWN:
            return self._idle("")
        frontier = self._frontiers.kept(searcher)
        if frontier is not None:
            return {self.progress: gr.skip()} if frontier == shown else self._kept(searcher)
        status = self._frontiers.status(searcher)
        if status is not None and not status.is_over:
            return {**self.panel.hidden(), **self._under_way(status)}
        return self._idle("")

    def measure(self, index: str | None, own: OwnIndex | None) -> Update:
        """Returns the bar of the measurement that begins or is running, or what was measured before."""
        if index == OWN:
            return self._idle(told("Not here.", _OWN))
        try:
            searcher = searcher_of(self._library, index, own)
            if kept := self._kept(searcher):
                return kept
            status = self._frontiers.start(searcher).status
        except RetrievalError as error:
            return self._idle(told("Nothing was measured.", error_words(error), is_error=True))
        return self._under_way(status)

    def poll(self, index: str | None, own: OwnIndex | None) -> Update:
        """Returns how far the measurement is, or its result."""
        try:
            searcher = searcher_of(self._library, index, own)
        except RetrievalError as error:
            return self._idle(told("Nothing was measured.", error_words(error), is_error=True))
        status = self._frontiers.status(searcher)
        if status is not None and not status.is_over:
            return self._under_way(status)
        kept = self._kept(searcher)
        return kept or self._idle(told("Nothing was measured.", _FAILED, is_error=True))

    def _kept(self, searcher: Searcher) -> Update:
        frontier = self._frontiers.kept(searcher)
        if frontier is None:
            return {}
        title = f"The frontier of {searcher.manifest.corpus.title}"
        return {**self._settled("", can_measure=False), **self.panel.shown(frontier, title)}

    def _under_way(self, status: JobStatus) -> Update:
        what = "waiting for a turn" if status.state == "waiting" else "every scheme"
        return {
            self.button: gr.Button(interactive=False),
            self.progress: under_way(status.fraction or 0.0, what),
            self.timer: gr.Timer(active=True),
        }

    def _idle(self, progress: str) -> Update:
        return {**self._settled(progress, can_measure=True), **self.panel.hidden()}

    def _settled(self, progress: str, *, can_measure: bool) -> Update:
        return {
            self.button: gr.Button(interactive=True, visible=can_measure),
            self.progress: progress,
            self.timer: gr.Timer(active=False),
        }
