"""The jobs of a visitor: an index is built, or vectors are measured, and the page shows how far it is and what came."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import gradio as gr

from retrieval.errors import BuildError, RetrievalError
from retrieval.evaluation.frontier.neighbours import Neighbours
from retrieval.evaluation.frontier.points import Frontier
from retrieval.serving.child_job import ChildJob
from retrieval.serving.child_process import JobStatus, Request
from retrieval.serving.library import Library
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import ChildQueue
from retrieval.ui.asking import Asking, index_choices
from retrieval.ui.markup import message
from retrieval.ui.views import Update
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.failures import for_visitors, why_failed
from retrieval.ui.your_data.layout import OwnLayout
from retrieval.ui.your_data.own_index import OWN, OwnIndex
from retrieval.ui.your_data.requests import BUILT, build_request, index_request, vectors_request
from retrieval.ui.your_data.session import NO_DATA, Doing, OwnSession, Source
from retrieval.ui.your_data.verdict import verdict

_MOST_DOTS = 50
"""A text that only has to change each time; it comes back from the browser, which may send anything."""
_CANCELLED = "The build was stopped, and its files were deleted."
_DELETED = "Your data and your index are no longer on this server."
_NOT_MEASURED = "The measurement was stopped, and no result was kept."
_NORMALIZED = "Not all vectors have length 1; they were normalized, as cosine needs."


class Jobs:
    """The steps. Each takes the session of one visitor, touches no other, and raises a `RetrievalError` if it fails."""

    def __init__(self, parts: OwnLayout, library: Library, asking: Asking, limits: OwnLimits) -> None:
        self._parts = parts
        self._library = library
        self._asking = asking
        self._limits = limits
        self._queue = ChildQueue(limits.num_slots, limits.max_waiting)

    def __len__(self) -> int:
        """Returns how many jobs run or wait."""
        return len(self._queue)

    def close(self) -> None:
        """Ends all child processes."""
        self._queue.close()

    def build(self, session: OwnSession, *choices: Any) -> Update:
        """Returns the view of the build that begins; `choices` are a column for each role, and the number of rows."""
        *names, rows = choices
        columns = dict(zip(self._parts.roles, names, strict=True))

        def request() -> Request:
            return build_request(session, columns, rows, self._limits, self._library.open().encoder)

        return self._begin(session, "build", request)

    def measure_vectors(self, session: OwnSession, column: str | None, metric: str) -> Update:
        """Returns the view of measuring the uploaded vectors."""
        return self._begin(session, "measure vectors", lambda: vectors_request(session, column, metric, self._limits))

    def measure_index(self, session: OwnSession) -> Update:
        """Returns the view of measuring the index that was built."""
        return self._begin(session, "measure index", lambda: index_request(session, self._limits))

    def _begin(self, session: OwnSession, doing: Doing, request: Callable[[], Request]) -> Update:
        """Returns the view of a job that begins, or of the one that is running."""
        with session.lock:
            if session.job is None or session.job.status.is_over:
                limit_s = self._limits.max_seconds
                session.job = self._queue.submit(request(), max_seconds=limit_s, client=session.client)
                session.doing = doing
            return self._parts.to_building(self._progress(session, session.job))

    def _progress(self, session: OwnSession, job: ChildJob) -> str:
        shown = own_panels.progress if session.doing == "build" else own_panels.measuring
        return shown(job.status, self._limits, self._queue.place_of(job))

    def poll(self, session: OwnSession, times_chosen: str) -> Update:
        """Returns how far the job is; when a build is done, the verdict, with the new index chosen."""
        with session.lock:
            job = session.job
            if job is None:
                if session.source is not None:
                    return {self._parts.timer: gr.Timer(active=False)}  # it was ended in the meantime
                return self._parts.to_start(message("No build is running", NO_DATA))
            status = job.status
            if not status.is_over:
                return {self._parts.progress: self._progress(session, job)}
            session.job = None
            if status.state == "failed":
                return self._failed(session, status)
            if status.state == "finished" and session.doing != "build":
                return self._measured(session, status)
            if status.state == "finished" and session.source is not None:
                return self._built(session, session.source, status, times_chosen)
            return self._cancelled(session)

    def _measured(self, session: OwnSession, status: JobStatus) -> Update:
        of_index = session.doing == "measure index"
        label = session.own.label if of_index and session.own is not None else ""
        title = label or (session.source.title if session.source is not None else "Your vectors")
        note = _NORMALIZED if status.result["were_normalized"] else ""
        frontier = Frontier.from_json(dict(status.result["frontier"]))
        neighbours = [Neighbours.from_json(each) for each in status.result["neighbours"]]
        shown = self._parts.frontier.panel.shown(frontier, f"The frontier of {title}", note, neighbours)
        return self._parts.to_frontier(shown, has_verdict=of_index)

    def _built(self, session: OwnSession, source: Source, status: JobStatus, times_chosen: str) -> Update:
        folder = session.adopt(session.folder / BUILT)
        try:
            searcher = self._library.open_private(folder)
        except RetrievalError as error:
            shutil.rmtree(folder, ignore_errors=True)  # nothing else knows about it
            raise BuildError(for_visitors(str(error), session.folder)) from error
        own = OwnIndex(searcher, folder, source.title)
        session.keep(own)
        manifest = searcher.manifest
        shown = verdict(manifest, status.result, status.elapsed_s)
        return {
            **self._parts.to_verdict(shown, can_measure=manifest.has_baseline),
            self._parts.mine: gr.Row(visible=True),
            **self._choose(OWN, own, times_chosen),
        }

    def _failed(self, session: OwnSession, status: JobStatus) -> Update:
        title = "No index was built" if session.doing == "build" else "Nothing was measured"
        why = why_failed(status, session.folder, self._limits.max_seconds)
        return self._back(session, message(title, why, is_error=True))

    def _cancelled(self, session: OwnSession) -> Update:
        return self._back(session, message("Cancelled", _CANCELLED if session.doing == "build" else _NOT_MEASURED))

    def _back(self, session: OwnSession, said: str) -> Update:
        """Returns to where the job was started."""
        if session.doing == "measure index":
            return self._parts.to_done(said)
        return self._parts.to_choose_again(said, session.looked)

    def cancel(self, session: OwnSession) -> Update:
        """Returns to where the job was started, with the job ended."""
        session.stop()
        if session.source is None and session.doing != "measure index":
            return self._parts.to_start(message("Cancelled", NO_DATA))
        return self._cancelled(session)

    def start_again(self, session: OwnSession) -> Update:
        """Returns to the start; the index that was built stays until another replaces it."""
        session.take(None)
        return self._parts.to_start("")

    def delete(self, session: OwnSession, index: str | None, times_chosen: str) -> Update:
        """Returns to the start and deletes everything that was uploaded and built."""
        session.take(None)
        session.keep(None)
        name = self._library.default if index == OWN else index
        return {
            **self._parts.to_start(message("Deleted", _DELETED)),
            self._parts.mine: gr.Row(visible=False),
            **self._choose(name, None, times_chosen),
        }

    def _choose(self, index: str | None, own: OwnIndex | None, times_chosen: str) -> Update:
        return {
            self._asking.own: own,
            self._asking.index: gr.Dropdown(index_choices(self._library, own), value=index),
            self._parts.index_chosen: "." * (len(times_chosen) % _MOST_DOTS + 1),
        }
