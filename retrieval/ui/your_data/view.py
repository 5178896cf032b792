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
from retrieval.serving.library import Library
from retrieval.serving.metrics import watch_visitors
from retrieval.serving.open_pages import OPEN_PAGES
from retrieval.serving.stopping import at_end
from retrieval.serving.temp_folders import TempRoot, private_parent
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import Client
from retrieval.ui.asking import Asking
from retrieval.ui.markup import as_sentence, message
from retrieval.ui.theme import QUIET
from retrieval.ui.views import Update
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.downloads import Downloads
from retrieval.ui.your_data.jobs import Jobs
from retrieval.ui.your_data.layout import OwnLayout
from retrieval.ui.your_data.session import OwnSession
from retrieval.ui.your_data.sessions import OwnSessions
from retrieval.ui.your_data.upload_steps import UploadSteps

_LOG = logging.getLogger(__name__)
_UNEXPECTED = "Something went wrong on the server and was logged. Other data may still work."
_NOT_USED = "This cannot be used"
_NOT_MEASURED = "Nothing is being measured"


class OwnView:
    """Builds the view inside the tab that is open, and answers its own events."""

    def __init__(self, page: gr.Blocks, library: Library, asking: Asking, tabs: gr.Tabs, limits: OwnLimits) -> None:
        self.index_changes: list[Any] = []
        """The event after which the visitor has another index, and the page must follow."""
        if not limits.is_on:
            gr.HTML(own_panels.switched_off(), apply_default_css=False)
            return
        self._parts = OwnLayout(limits)
        uploads = Path(get_upload_folder())
        self._upload_steps = UploadSteps(self._parts, limits, uploads)
        self._jobs = Jobs(self._parts, library, asking, limits)
        self._downloads = Downloads(self._parts)
        self._sessions = OwnSessions(TempRoot(private_parent(uploads)), TempRoot(uploads), limits)
        OPEN_PAGES.sweep_with(self._sessions.end_left)
        watch_visitors("sessions", lambda: len(self._sessions))
        watch_visitors("bytes", self._sessions.used_bytes)
        watch_visitors("builds", lambda: len(self._jobs))
        at_end(self.close)
        self.index_changes = [self._parts.index_chosen.change]
        self._wire_uploads()
        self._wire_jobs([asking.index, asking.own, self._parts.index_chosen])
        self._wire_downloads()
        self._wire_tabs(tabs)
        page.unload(self.leave)

    def close(self) -> None:
        """Ends all builds and deletes what visitors uploaded, without waiting for handlers that still run."""
        self._jobs.close()
        self._upload_steps.close()
        self._sessions.close()

    def leave(self, request: gr.Request) -> None:
        """Deletes the data of a visitor whose page was closed; see `OwnSessions.leave`."""
        if request.session_hash:
            self._sessions.leave(request.session_hash)

    def _wire_uploads(self) -> None:
        parts, shown, on, steps = self._parts, self._parts.outputs, self._handler, self._upload_steps
        taken = [
            parts.file.upload(on(steps.take_file, _NOT_USED, brings=True), [parts.file], shown, **QUIET),
            parts.use_lines.click(on(steps.take_lines, _NOT_USED, brings=True), [parts.lines], shown, **QUIET),
            parts.use_sample.click(on(steps.take_sample, _NOT_USED, brings=True), None, shown, **QUIET),
        ]
        for event in taken:
            event.then(on(steps.look, "This cannot be read"), None, shown, **QUIET)
        parts.refused.click(
            on(steps.refuse, _NOT_USED), [parts.lines, parts.lines], shown, js="() => window.ownTooLarge()", **QUIET
        )

    def _wire_jobs(self, index: list[Any]) -> None:
        parts, shown, on, steps = self._parts, self._parts.outputs, self._handler, self._jobs
        build = on(steps.build, "No index is being built", brings=True)
        parts.build.click(build, [*parts.roles.values(), parts.rows], shown, **QUIET)
        vectors = [parts.vectors.column, parts.vectors.metric]
        parts.vectors.measure.click(on(steps.measure_vectors, _NOT_MEASURED, stays=True), vectors, shown, **QUIET)
        parts.frontier.measure.click(on(steps.measure_index, _NOT_MEASURED, stays=True), None, shown, **QUIET)
        poll = on(steps.poll, "The index cannot be opened")
        parts.timer.tick(poll, [parts.index_chosen], [*shown, *index], trigger_mode="once", **QUIET)
        parts.cancel.click(on(steps.cancel), None, shown, **QUIET)
        chosen, _, times_chosen = index
        parts.delete.click(on(steps.delete), [chosen, times_chosen], [*shown, *index], **QUIET)
        for button in (parts.again, parts.another, parts.vectors.again):
            button.click(on(steps.start_again), None, shown, **QUIET)

    def _wire_downloads(self) -> None:
        parts, shown, steps = self._parts, self._parts.outputs, self._downloads
        frontier, panel = parts.frontier, parts.frontier.panel
        for button, step, inputs, file in (
            (frontier.report, steps.report, [panel.kept, *panel.wish], frontier.download),
            (frontier.figures, steps.figures, [panel.kept], frontier.download),
            (parts.zip, steps.zip, None, parts.download),
        ):
            handler = self._handler(step, "The file was not made", brings=True, stays=True)
            made = button.click(handler, inputs, [file, *shown], **QUIET)
            made.then(None, js=f"() => window.ownFetch('{file.elem_id}')", queue=False, api_visibility="private")

    def _wire_tabs(self, tabs: gr.Tabs) -> None:
        for button, view in ((self._parts.search, "search"), (self._parts.compare, "compare")):
            shows = button.click(partial(gr.Tabs, selected=view), None, [tabs], **QUIET)
            shows.then(None, js="() => window.ownFocusQuery()", queue=False, api_visibility="private")

    def _handler(
        self,
        step: Callable[..., Update],
        title: str = "That did not work",
        *,
        brings: bool = False,
        stays: bool = False,
    ) -> Callable[..., Update]:
        """Returns what answers an event: a step, or a message why it failed; never an exception.

        Args:
            step: takes the visitor's session, and the values of the inputs.
            title: what the message begins with.
            brings: whether the step puts something into the folders of the session.
            stays: whether the message is shown above what is seen now, rather than at the start.
        """
        show = self._parts.to_message if stays else self._parts.to_start

        def handle(request: gr.Request, *values: Any) -> Update:
            try:
                return step(self._session(request, brings=brings), *values)
            except RetrievalError as error:
                return show(message(title, as_sentence(str(error)), is_error=True))
            except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
                _LOG.exception("a visitor's data could not be worked on")
                return show(message(title, _UNEXPECTED, is_error=True))

        handle.__name__ = step.__name__  # Gradio names the endpoint after it
        return handle

    def _session(self, request: gr.Request, *, brings: bool) -> OwnSession:
        if not request.session_hash:
            raise CorpusError("this request did not come from the page: open it, and upload your data there.")
        session = (self._sessions.to_bring if brings else self._sessions.of)(request.session_hash)
        session.client = Client(request.client.host if request.client else "", request.session_hash)
        return session
