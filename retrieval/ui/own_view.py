"""Your data: bring a file, watch the index being built from it, get the verdict, search it, take it away."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from retrieval.errors import CorpusError, RetrievalError
from retrieval.library import Library
from retrieval.own_build import ChildQueue, JobStatus
from retrieval.own_build_limits import OwnLimits
from retrieval.own_build_words import as_sentence
from retrieval.searcher import Searcher
from retrieval.ui import own_panels
from retrieval.ui.asking import Asking, Update, index_choices
from retrieval.ui.own_folders import TempRoot
from retrieval.ui.own_index import OWN, OwnIndex
from retrieval.ui.own_layout import OwnLayout
from retrieval.ui.own_requests import BUILT, build_request, look_request
from retrieval.ui.own_sample import TITLE, sample_csv
from retrieval.ui.own_sessions import OwnSession, OwnSessions, Source
from retrieval.ui.own_taking import take_text, take_upload
from retrieval.ui.own_verdict import verdict
from retrieval.ui.own_zip import folder_name, write_zip

_LOG = logging.getLogger(__name__)
_UNEXPECTED = "Something went wrong on this side. It was noted in the log; other data may well work."
_LOOK_SECONDS = 20
_LOOK_SLOTS = 2
_QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_CANCELLED = "The build was ended, and what it had made was deleted."
_DELETED = "Your data and your index are not on this server any more."
_NO_DATA = "Your data is not here any more: it is deleted when the connection to the page is lost. Bring it again."


class OwnView:
    """Builds the view inside the tab that is open, and answers its own events."""

    key = "own"

    def __init__(self, page: gr.Blocks, library: Library, asking: Asking, tabs: gr.Tabs, limits: OwnLimits) -> None:
        self._library = library
        self._asking = asking
        self._limits = limits
        self.outputs: list[Any] = []
        self.index_chosen = gr.Textbox("", visible="hidden", elem_id="own-chosen")
        """Changes when another index was put in the visitor's hands: the page is to follow."""
        self._builds = ChildQueue(limits.num_slots, limits.max_waiting)
        self._looks = ChildQueue(_LOOK_SLOTS, limits.max_waiting)
        self._sessions = OwnSessions(TempRoot(), TempRoot(Path(get_upload_folder())))
        atexit.register(self.close)
        if not limits.is_on:
            gr.HTML(own_panels.switched_off(), apply_default_css=False)
            return
        self.parts = parts = OwnLayout.place(limits)
        self._wire(page, parts, tabs)

    def on_index(self, searcher: Searcher) -> Update:
        """Returns nothing: what a visitor built stays, whichever index is chosen."""
        return {}

    def close(self) -> None:
        """Ends all builds, and deletes what visitors brought."""
        self._builds.close()
        self._looks.close()
        self._sessions.close()

    def _wire(self, page: gr.Blocks, parts: OwnLayout, tabs: gr.Tabs) -> None:
        shown = parts.outputs
        index = [self._asking.index, self._asking.own, self.index_chosen]
        taken = [
            parts.file.upload(self.take_file, [parts.file], shown, **_QUICK),
            parts.use_lines.click(self.take_lines, [parts.lines], shown, **_QUICK),
            parts.use_sample.click(self.take_sample, None, shown, **_QUICK),
        ]
        for event in taken:
            event.then(self.look, None, shown, **_QUICK)
        columns = [parts.text, parts.body, parts.url, parts.rows]
        parts.build.click(self.build, columns, shown, **_QUICK)
        parts.timer.tick(self.poll, [self.index_chosen], [*shown, *index], trigger_mode="once", **_QUICK)
        parts.cancel.click(self.cancel, None, shown, **_QUICK)
        chosen = [self._asking.index, self.index_chosen]
        parts.delete.click(self.delete, chosen, [*shown, *index], **_QUICK)
        for button in (parts.again, parts.another):
            button.click(self.start_again, None, shown, **_QUICK)
        zipped = parts.zip.click(self.zip, None, [parts.download, parts.message], **_QUICK)
        zipped.then(None, js="() => window.ownFetchZip()", queue=False, api_visibility="private")
        search = parts.search.click(lambda: gr.Tabs(selected="search"), None, [tabs], **_QUICK)
        search.then(None, js="() => window.ownFocusQuery()", queue=False, api_visibility="private")
        page.unload(self.leave)

    def take_file(self, upload: str | None, request: gr.Request) -> Update:
        """Returns the note that the uploaded file is being looked at; it is not where it was uploaded to any more."""
        if upload is None:
            return {}
        return self._taken(request, lambda session: take_upload(Path(upload), session, self._limits))

    def take_lines(self, text: str | None, request: gr.Request) -> Update:
        """Returns the note that the pasted lines are being looked at."""
        return self._taken(request, lambda session: take_text(text or "", session, self._limits))

    def take_sample(self, request: gr.Request) -> Update:
        """Returns the note that the sample is being looked at."""
        return self._taken(request, lambda session: take_text(sample_csv(), session, self._limits, TITLE))

    def look(self, request: gr.Request) -> Update:
        """Returns the preview of what was brought, with guesses for the columns."""
        session = self._session(request)
        source = session.source
        if source is None:
            return {}  # it was refused, and the visitor was told
        return self._guarded("This cannot be read", lambda: self._look(session, source))

    def _look(self, session: OwnSession, source: Source) -> Update:
        job = self._looks.submit(look_request(session, source, self._limits), max_seconds=_LOOK_SECONDS)
        status = job.wait()
        if status.phase != "finished":
            session.take(None)
            raise CorpusError(status.message)
        session.looked = status.result
        return self.parts.to_choose(source, status.result, self._limits)

    def build(
        self, text: str | None, body: str | None, url: str | None, rows: float | None, request: gr.Request
    ) -> Update:
        """Returns the view of the build that begins."""
        session = self._session(request)
        return self._guarded("No index is being built", lambda: self._build(session, text, body, url, rows))

    def _build(
        self, session: OwnSession, text: str | None, body: str | None, url: str | None, rows: float | None
    ) -> Update:
        with session.lock:
            if session.job is None or session.job.status.is_over:
                job = build_request(session, {"text": text, "body": body, "url": url}, rows, self._limits)
                session.job = self._builds.submit(job, max_seconds=self._limits.max_seconds)
            status = session.job.status
        return self.parts.to_building(status, self._limits)

    def poll(self, times_chosen: str, request: gr.Request) -> Update:
        """Returns how far the build is; when it is done, the verdict, with the new index chosen."""
        session = self._session(request)
        with session.lock:
            job = session.job
            if job is None:
                if session.source is not None:
                    return {self.parts.timer: gr.Timer(active=False)}  # it was ended meanwhile
                return self.parts.to_start(own_panels.note("No build is under way", _NO_DATA))
            status = job.status
            if not status.is_over:
                return {self.parts.progress: own_panels.progress(status, self._limits)}
            session.job = None
            return self._guarded(
                "The index was built, but cannot be opened", lambda: self._over(session, status, times_chosen)
            )

    def _over(self, session: OwnSession, status: JobStatus, times_chosen: str) -> Update:
        source = session.source
        if status.phase == "finished" and source is not None:
            folder = session.adopt(session.folder / BUILT)
            own = OwnIndex(self._library.open_private(folder), folder, source.title)
            session.keep(own)
            manifest = own.searcher.manifest
            return {
                **self.parts.to_verdict(verdict(manifest, status.result, status.elapsed_s)),
                self.parts.mine: gr.Row(visible=True),
                **self._choose(OWN, own, times_chosen),
            }
        if status.phase == "cancelled" or source is None:
            return self.parts.to_choose_again(own_panels.note("Cancelled", _CANCELLED))
        return self.parts.to_choose_again(own_panels.problem("No index was built", status.message))

    def cancel(self, request: gr.Request) -> Update:
        """Returns to the choice of columns, with the build ended."""
        self._session(request).stop()
        return self.parts.to_choose_again(own_panels.note("Cancelled", _CANCELLED))

    def start_again(self, request: gr.Request) -> Update:
        """Returns to the start; the index that was built stays until another takes its place."""
        self._session(request).take(None)
        return self.parts.to_start("")

    def delete(self, index: str | None, times_chosen: str, request: gr.Request) -> Update:
        """Returns to the start, with all that was brought and built deleted."""
        session = self._session(request)
        session.take(None)
        session.keep(None)
        name = self._library.default if index == OWN else index
        return {
            **self.parts.to_start(own_panels.note("Deleted", _DELETED)),
            self.parts.mine: gr.Row(visible=False),
            **self._choose(name, None, times_chosen),
        }

    def zip(self, request: gr.Request) -> Update:
        """Returns the index as one file, which the page then fetches."""
        session = self._session(request)
        return self._guarded("The file was not made", lambda: self._zip(session))

    def _zip(self, session: OwnSession) -> Update:
        own = session.own
        if own is None:
            raise CorpusError(_NO_DATA)
        target = session.download_folder / f"{folder_name(own.label)}.zip"
        if not target.exists():
            write_zip(own.folder, target)
        return {self.parts.download: gr.DownloadButton(value=str(target)), self.parts.message: ""}

    def leave(self, request: gr.Request) -> None:
        """Deletes what a visitor brought whose page was closed."""
        if request.session_hash:
            self._sessions.end(request.session_hash)

    def _choose(self, index: str | None, own: OwnIndex | None, times_chosen: str) -> Update:
        return {
            self._asking.own: own,
            self._asking.index: gr.Dropdown(index_choices(self._library, own), value=index),
            self.index_chosen: f"{times_chosen}.",
        }

    def _taken(self, request: gr.Request, take: Callable[[OwnSession], Source]) -> Update:
        def update() -> Update:
            session = self._session(request)
            session.take(None)
            source = take(session)
            session.take(source)
            return self.parts.to_looking(own_panels.looking(source.title))

        return self._guarded("This cannot be used", update)

    def _session(self, request: gr.Request) -> OwnSession:
        return self._sessions.of(request.session_hash or "")

    def _guarded(self, title: str, make: Callable[[], Update]) -> Update:
        """Returns what `make` returns, or the start with a message; never an exception."""
        try:
            return make()
        except RetrievalError as error:
            return self.parts.to_start(own_panels.problem(title, as_sentence(str(error))))
        except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
            _LOG.exception("a visitor's data could not be worked on")
            return self.parts.to_start(own_panels.problem(title, _UNEXPECTED))
