"""The first steps: a visitor's upload is taken, and a child process reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from retrieval.errors import CorpusError
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import ChildQueue
from retrieval.ui.views import Update
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.failures import for_visitors, why_failed
from retrieval.ui.your_data.layout import OwnLayout
from retrieval.ui.your_data.requests import look_request
from retrieval.ui.your_data.sample import TITLE, sample_csv
from retrieval.ui.your_data.session import OwnSession, Source
from retrieval.ui.your_data.uploads import take_pasted, take_text, take_upload, too_large

_LOOK_SECONDS = 20
_LOOK_SLOTS = 2


class UploadSteps:
    """The steps. Each takes the session of one visitor, touches no other, and raises a `RetrievalError` if it fails."""

    def __init__(self, parts: OwnLayout, limits: OwnLimits, uploads: Path) -> None:
        """Takes the folder in which Gradio keeps what is uploaded, besides the components and the limits."""
        self._parts = parts
        self._limits = limits
        self._uploads = uploads
        self._looks = ChildQueue(_LOOK_SLOTS, limits.max_waiting)

    def close(self) -> None:
        """Ends all child processes."""
        self._looks.close()

    def take_file(self, session: OwnSession, upload: str | None) -> Update:
        """Returns the note that the uploaded file is being read; it has left the place it was uploaded to."""
        if upload is None:
            return self._parts.unchanged()
        return self._take(session, lambda: take_upload(Path(upload), session, self._limits, self._uploads))

    def take_lines(self, session: OwnSession, text: str | None) -> Update:
        """Returns the note that the pasted lines are being read."""
        return self._take(session, lambda: take_pasted(text or "", session, self._limits))

    def take_sample(self, session: OwnSession) -> Update:
        """Returns the note that the sample is being read."""
        return self._take(session, lambda: take_text(sample_csv(), session, self._limits, TITLE))

    def refuse(self, session: OwnSession, name: str, size_bytes: str) -> Update:
        """Says why a file was not sent at all."""
        raise too_large(str(name)[:200], int(size_bytes), self._limits)

    def _take(self, session: OwnSession, take: Callable[[], Source]) -> Update:
        session.take(None)  # what was there before is gone, even if this cannot be used
        source = take()
        session.take(source)
        return self._parts.to_looking(own_panels.looking(source.title))

    def look(self, session: OwnSession) -> Update:
        """Returns the preview of the upload, with guesses for the columns."""
        source = session.source
        if source is None:
            return self._parts.unchanged()  # it was refused, and the visitor was told
        asked = look_request(session, source, self._limits)
        status = self._looks.submit(asked, max_seconds=_LOOK_SECONDS, client=session.client).wait()
        if status.state != "finished":
            session.take(None)
            raise CorpusError(why_failed(status, session.folder, _LOOK_SECONDS))
        session.looked = {
            **status.result,
            "problem": for_visitors(status.result["problem"], session.folder),
            "notes": [for_visitors(note, session.folder) for note in status.result["notes"]],
        }
        return self._parts.to_choose(source, session.looked, self._limits)
