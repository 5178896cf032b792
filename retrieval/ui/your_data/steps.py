"""What happens in each step of a visitor's own build, as new values for the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping

import gradio as gr

from retrieval.benchmark.machine import about_machine
from retrieval.bundle.manifest import EMBEDDINGS_FILE
from retrieval.errors import BuildError, CorpusError, RetrievalError
from retrieval.evaluation.frontier.neighbours import Neighbours
from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import Wish
from retrieval.serving.child_job import ChildJob
from retrieval.serving.child_process import JobStatus, Request
from retrieval.serving.library import Library
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import ChildQueue
from retrieval.ui.asking import Asking, Update, index_choices
from retrieval.ui.frontier.report import report
from retrieval.ui.markup import message
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.failures import for_visitors, why_failed
from retrieval.ui.your_data.layout import OwnLayout
from retrieval.ui.your_data.sessions import OWN, Doing, OwnIndex, OwnSession, Source
from retrieval.ui.your_data.taking import BUILT, build_request, look_request, measure_request
from retrieval.ui.your_data.verdict import verdict
from retrieval.ui.your_data.zip import folder_name, write_zip

_LOOK_SECONDS = 20
_LOOK_SLOTS = 2
_MOST_DOTS = 50
"""A text that only has to change each time; it comes back from the browser, which may send anything."""
_CANCELLED = "The build was stopped, and its files were deleted."
_DELETED = "Your data and your index are no longer on this server."
_NOT_MEASURED = "The measurement was stopped, and no result was kept."
NORMALIZED = "Not all vectors have length 1; they were normalized, as cosine needs."
_NO_DATA = "Your data is no longer here: it is deleted when the connection to the page is lost. Upload it again."


class OwnSteps:
    """The steps. Each takes the session of one visitor, and touches no other."""

    def __init__(self, parts: OwnLayout, library: Library, asking: Asking, limits: OwnLimits) -> None:
        self._parts = parts
        self._library = library
        self._asking = asking
        self._limits = limits
        self._builds = ChildQueue(limits.num_slots, limits.max_waiting)
        self._looks = ChildQueue(_LOOK_SLOTS, limits.max_waiting)

    def close(self) -> None:
        """Ends all child processes."""
        self._builds.close()
        self._looks.close()

    def num_builds(self) -> int:
        """Returns how many builds run or wait."""
        return len(self._builds)

    def take(self, session: OwnSession, take: Callable[[OwnSession], Source]) -> Update:
        """Returns the note that the upload is being read; what was there before is gone.

        Raises:
            CorpusError: if it cannot be used.
        """
        session.take(None)
        source = take(session)
        session.take(source)
        return self._parts.to_looking(own_panels.looking(source.title))

    def look(self, session: OwnSession) -> Update:
        """Returns the preview of the upload, with guesses for the columns.

        Raises:
            RetrievalError: if it cannot be read.
        """
        source = session.source
        if source is None:
            return self._parts.unchanged()  # it was refused, and the visitor was told
        asked = look_request(session, source, self._limits)
        job = self._looks.submit(asked, max_seconds=_LOOK_SECONDS, client=session.client)
        status = job.wait()
        if status.state != "finished":
            session.take(None)
            raise CorpusError(why_failed(status, session.folder, _LOOK_SECONDS))
        told = {
            "problem": for_visitors(status.result["problem"], session.folder),
            "notes": [for_visitors(note, session.folder) for note in status.result["notes"]],
        }
        session.looked = {**status.result, **told}
        return self._parts.to_choose(source, session.looked, self._limits)

    def build(self, session: OwnSession, columns: Mapping[str, str | None], rows: float | None) -> Update:
        """Returns the view of the build that begins, or of the one that is running.

        Raises:
            RetrievalError: if there is nothing to build from, or too many wait already.
        """

        def request() -> Request:
            return build_request(session, columns, rows, self._limits, self._library.open().encoder)

        with session.lock:
            return self._begin(session, "build", request)

    def measure_vectors(self, session: OwnSession, column: str | None, metric: str) -> Update:
        """Returns the view of measuring the uploaded vectors, or of the job that is running.

        Raises:
            RetrievalError: if there are none, or too many wait already.
        """
        with session.lock:
            source, vectors = session.source, session.looked.get("vectors")
            if source is None or not vectors:
                raise CorpusError("there are no vectors to measure: upload a file of them.")
            named = column if vectors["columns"] else None
            path = source.path
            return self._begin(session, "measure vectors", lambda: measure_request(path, named, metric, self._limits))

    def measure_index(self, session: OwnSession) -> Update:
        """Returns the view of measuring the index that was built, or of the job that is running.

        Raises:
            RetrievalError: if there is none, or too many wait already.
        """
        with session.lock:
            if session.own is None:
                raise CorpusError(_NO_DATA)
            path = session.own.folder / EMBEDDINGS_FILE
            return self._begin(session, "measure index", lambda: measure_request(path, None, "cosine", self._limits))

    def _begin(self, session: OwnSession, doing: Doing, request: Callable[[], Request]) -> Update:
        """Returns the view of a job that begins, or of the one that is running."""
        if session.job is None or session.job.status.is_over:
            limit_s = self._limits.max_seconds
            session.job = self._builds.submit(request(), max_seconds=limit_s, client=session.client)
            session.doing = doing
        return self._parts.to_building(self._progress(session, session.job))

    def _progress(self, session: OwnSession, job: ChildJob) -> str:
        shown = own_panels.progress if session.doing == "build" else own_panels.measuring
        return shown(job.status, self._limits, self._builds.place_of(job))

    def poll(self, session: OwnSession, times_chosen: str) -> Update:
        """Returns how far the build is; when it is done, the verdict, with the new index chosen.

        Raises:
            RetrievalError: if the new index cannot be opened.
        """
        with session.lock:
            job = session.job
            if job is None:
                if session.source is not None:
                    return {self._parts.timer: gr.Timer(active=False)}  # it was ended in the meantime
                return self._parts.to_start(message("No build is running", _NO_DATA))
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
        note = NORMALIZED if status.result["were_normalized"] else ""
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
        return {
            **self._parts.to_verdict(
                verdict(searcher.manifest, status.result, status.elapsed_s),
                can_measure=searcher.manifest.has_baseline,
            ),
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
            return self._parts.to_start(message("Cancelled", _NO_DATA))
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

    def zip(self, session: OwnSession) -> Update:
        """Returns the index as one file, which the page then fetches.

        Raises:
            RetrievalError: if there is none.
            OSError: if it cannot be written.
        """
        own = session.own
        if own is None:
            raise CorpusError(_NO_DATA)
        target = session.download_folder / f"{folder_name(own.label)}.zip"
        if not target.exists():
            write_zip(own.folder, target)
        return {self._parts.download: gr.DownloadButton(value=str(target)), self._parts.message: ""}

    def report(self, session: OwnSession, frontier: Frontier | None, wish: Wish | None) -> Update:
        """Returns the report for a wish, or without one the figures as JSON, as one file that the page then fetches.

        Raises:
            RetrievalError: if nothing is measured.
            OSError: if it cannot be written.
        """
        if frontier is None:
            raise CorpusError("this measurement is no longer here: measure again.")
        machine = about_machine()
        if wish is None:
            target = session.download_folder / "frontier.json"
            target.write_text(json.dumps({"machine": machine, **frontier.to_json()}, indent=1), encoding="utf-8")
        else:
            target = session.download_folder / "frontier.html"
            target.write_text(report(frontier, wish, machine), encoding="utf-8")
        return {self._parts.frontier.download: gr.DownloadButton(value=str(target)), self._parts.message: ""}

    def _choose(self, index: str | None, own: OwnIndex | None, times_chosen: str) -> Update:
        return {
            self._asking.own: own,
            self._asking.index: gr.Dropdown(index_choices(self._library, own), value=index),
            self._parts.index_chosen: "." * (len(times_chosen) % _MOST_DOTS + 1),
        }
