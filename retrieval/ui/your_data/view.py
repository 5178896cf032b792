"""Your data: upload a file, watch an index being built from it, get the verdict, search it, download it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from retrieval.errors import CorpusError, RetrievalError
from retrieval.evaluation.frontier.points import Frontier
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library
from retrieval.serving.metrics import watch_visitors
from retrieval.serving.open_pages import OPEN_PAGES
from retrieval.serving.stopping import at_end
from retrieval.serving.temp_folders import TempRoot, private_parent
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import Client
from retrieval.ui.asking import Asking, Update
from retrieval.ui.frontier.values import wish_of
from retrieval.ui.markup import as_sentence, message
from retrieval.ui.theme import QUIET
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.layout import OwnLayout
from retrieval.ui.your_data.sample import TITLE, sample_csv
from retrieval.ui.your_data.sessions import OwnSession, OwnSessions, Source
from retrieval.ui.your_data.steps import OwnSteps
from retrieval.ui.your_data.taking import take_pasted, take_text, take_upload, too_large

_LOG = logging.getLogger(__name__)
_UNEXPECTED = "Something went wrong on the server and was logged. Other data may still work."
_NOT_USED = "This cannot be used"


class OwnView:
    """Builds the view inside the tab that is open, and answers its own events."""

    key = "own"

    def __init__(self, page: gr.Blocks, library: Library, asking: Asking, tabs: gr.Tabs, limits: OwnLimits) -> None:
        self._limits = limits
        self.outputs: list[Any] = []
        self.index_changes: list[Any] = []
        """The event after which the visitor has another index, and the page must follow."""
        if not limits.is_on:
            gr.HTML(own_panels.switched_off(), apply_default_css=False)
            return
        self._parts = OwnLayout.place(limits)
        self._steps = OwnSteps(self._parts, library, asking, limits)
        self._uploads = Path(get_upload_folder())
        self._sessions = OwnSessions(TempRoot(private_parent(self._uploads)), TempRoot(self._uploads), limits)
        OPEN_PAGES.sweep_with(self._sessions.end_left)
        watch_visitors("sessions", lambda: len(self._sessions))
        watch_visitors("bytes", self._sessions.used_bytes)
        watch_visitors("builds", self._steps.num_builds)
        at_end(self.close)
        self.index_changes = [self._parts.index_chosen.change]
        self._wire(page, asking, tabs)

    def on_index(self, searcher: Searcher) -> Update:
        """Returns nothing: a visitor's index stays, whichever index is selected."""
        return {}

    def close(self) -> None:
        """Ends all builds and deletes what visitors uploaded, without waiting for handlers that still run."""
        self._steps.close()
        self._sessions.close()

    def _wire(self, page: gr.Blocks, asking: Asking, tabs: gr.Tabs) -> None:
        parts, shown = self._parts, self._parts.outputs
        index = [asking.index, asking.own, parts.index_chosen]
        for event in (
            parts.file.upload(self.take_file, [parts.file], shown, **QUIET),
            parts.use_lines.click(self.take_lines, [parts.lines], shown, **QUIET),
            parts.use_sample.click(self.take_sample, None, shown, **QUIET),
        ):
            event.then(self.look, None, shown, **QUIET)
        parts.refused.click(self.refuse, [parts.lines, parts.lines], shown, js="() => window.ownTooLarge()", **QUIET)
        roles = [parts.text, parts.body, parts.url, parts.group, parts.quality]
        parts.build.click(self.build, [*roles, parts.rows], shown, **QUIET)
        vectors, frontier = parts.vectors, parts.frontier
        vectors.measure.click(self.measure_vectors, [vectors.column, vectors.metric], shown, **QUIET)
        frontier.measure.click(self.measure_index, None, shown, **QUIET)
        panel = frontier.panel
        for made in (
            frontier.report.click(self.report, [panel.kept, *panel.wish], [frontier.download, *shown], **QUIET),
            frontier.figures.click(self.figures, panel.kept, [frontier.download, *shown], **QUIET),
        ):
            made.then(None, js="() => window.ownFetch('own-report-file')", queue=False, api_visibility="private")
        parts.timer.tick(self.poll, [parts.index_chosen], [*shown, *index], trigger_mode="once", **QUIET)
        parts.cancel.click(self.cancel, None, shown, **QUIET)
        parts.delete.click(self.delete, [asking.index, parts.index_chosen], [*shown, *index], **QUIET)
        for button in (parts.again, parts.another, vectors.again):
            button.click(self.start_again, None, shown, **QUIET)
        zipped = parts.zip.click(self.zip, None, [parts.download, *shown], **QUIET)
        zipped.then(None, js="() => window.ownFetch('own-download')", queue=False, api_visibility="private")
        for button, view in ((parts.search, "search"), (parts.compare, "compare")):
            shows = button.click(partial(gr.Tabs, selected=view), None, [tabs], **QUIET)
            shows.then(None, js="() => window.ownFocusQuery()", queue=False, api_visibility="private")
        page.unload(self.leave)

    def take_file(self, upload: str | None, request: gr.Request) -> Update:
        """Returns the note that the uploaded file is being read; it has left the place it was uploaded to."""
        if upload is None:
            return self._parts.unchanged()
        return self._take(request, lambda session: take_upload(Path(upload), session, self._limits, self._uploads))

    def take_lines(self, text: str | None, request: gr.Request) -> Update:
        """Returns the note that the pasted lines are being read."""
        return self._take(request, lambda session: take_pasted(text or "", session, self._limits))

    def take_sample(self, request: gr.Request) -> Update:
        """Returns the note that the sample is being read."""
        return self._take(request, lambda session: take_text(sample_csv(), session, self._limits, TITLE))

    def refuse(self, name: str, size_bytes: str) -> Update:
        """Returns why a file was not sent at all."""

        def told() -> Update:
            raise too_large(str(name)[:200], int(size_bytes), self._limits)

        return self._guarded(_NOT_USED, told)

    def look(self, request: gr.Request) -> Update:
        """Returns the preview of the upload."""
        return self._guarded("This cannot be read", lambda: self._steps.look(self._session(request)))

    def build(
        self,
        text: str | None,
        body: str | None,
        url: str | None,
        group: str | None,
        quality: str | None,
        rows: float | None,
        request: gr.Request,
    ) -> Update:
        """Returns the view of the build that begins."""
        columns = {"text": text, "body": body, "url": url, "group": group, "quality": quality}
        return self._guarded(
            "No index is being built",
            lambda: self._steps.build(self._session(request, bringing=True), columns, rows),
        )

    def measure_vectors(self, column: str | None, metric: str, request: gr.Request) -> Update:
        """Returns the view of the measurement that begins."""
        return self._guarded(
            "Nothing is being measured",
            lambda: self._steps.measure_vectors(self._session(request), column, metric),
            self._parts.to_message,
        )

    def measure_index(self, request: gr.Request) -> Update:
        """Returns the view of the measurement that begins."""
        return self._guarded(
            "Nothing is being measured",
            lambda: self._steps.measure_index(self._session(request)),
            self._parts.to_message,
        )

    def report(
        self, frontier: Frontier | None, target: Any, scarce: Any, num_vectors: Any, price: Any, request: gr.Request
    ) -> Update:
        """Returns the report as one file."""
        return self._guarded(
            "The file was not made",
            lambda: self._steps.report(
                self._session(request, bringing=True), frontier, wish_of(target, scarce, num_vectors, price)
            ),
            self._parts.to_message,
        )

    def figures(self, frontier: Frontier | None, request: gr.Request) -> Update:
        """Returns the figures as one file."""
        return self._guarded(
            "The file was not made",
            lambda: self._steps.report(self._session(request, bringing=True), frontier, None),
            self._parts.to_message,
        )

    def poll(self, times_chosen: str, request: gr.Request) -> Update:
        """Returns how far the build is, and in the end the verdict."""
        return self._guarded(
            "The index cannot be opened", lambda: self._steps.poll(self._session(request), times_chosen)
        )

    def cancel(self, request: gr.Request) -> Update:
        """Returns to the choice of columns."""
        return self._guarded("That did not work", lambda: self._steps.cancel(self._session(request)))

    def start_again(self, request: gr.Request) -> Update:
        """Returns to the start."""
        return self._guarded("That did not work", lambda: self._steps.start_again(self._session(request)))

    def delete(self, index: str | None, times_chosen: str, request: gr.Request) -> Update:
        """Returns to the start and deletes everything."""
        return self._guarded(
            "That did not work", lambda: self._steps.delete(self._session(request), index, times_chosen)
        )

    def zip(self, request: gr.Request) -> Update:
        """Returns the index as one file."""
        return self._guarded(
            "The file was not made",
            lambda: self._steps.zip(self._session(request, bringing=True)),
            self._parts.to_message,
        )

    def leave(self, request: gr.Request) -> None:
        """Deletes the data of a visitor whose page was closed; see `OwnSessions.leave`."""
        if request.session_hash:
            self._sessions.leave(request.session_hash)

    def _take(self, request: gr.Request, take: Callable[[OwnSession], Source]) -> Update:
        return self._guarded(_NOT_USED, lambda: self._steps.take(self._session(request, bringing=True), take))

    def _session(self, request: gr.Request, *, bringing: bool = False) -> OwnSession:
        if not request.session_hash:
            raise CorpusError("this request did not come from the page: open it, and upload your data there.")
        session = (self._sessions.to_bring if bringing else self._sessions.of)(request.session_hash)
        session.client = Client(request.client.host if request.client else "", request.session_hash)
        return session

    def _guarded(self, title: str, make: Callable[[], Update], show: Callable[[str], Update] | None = None) -> Update:
        """Returns what `make` returns, or a message, by default at the start; never an exception."""
        show = show or self._parts.to_start
        try:
            return make()
        except RetrievalError as error:
            return show(message(title, as_sentence(str(error)), is_error=True))
        except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
            _LOG.exception("a visitor's data could not be worked on")
            return show(message(title, _UNEXPECTED, is_error=True))
