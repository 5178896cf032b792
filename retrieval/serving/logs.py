"""The log of the server: one line per event, `key=value`, without anything that visitors typed or uploaded."""

from __future__ import annotations

import logging
import shlex
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any, TextIO

_REPEATED_S = 60.0
_MAX_REPEATS = 5
"""How often the same event is written in that time; then only how often it was left out."""


class LineFormatter(logging.Formatter):
    """Formats a record as `time=... level=... logger=... event="..." key=value`.

    Of an exception, the type and the places are written. Its message stays out: it may quote a query or a document.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line."""
        fields: dict[str, Any] = {
            "time": time.strftime(f"%Y-%m-%dT%H:%M:%S.{record.msecs:03.0f}Z", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            fields["exception"] = record.exc_info[0].__name__
            fields["at"] = " > ".join(f"{frame.filename}:{frame.lineno}" for frame in frames[-8:])
        return " ".join(f"{name}={_written(value)}" for name, value in fields.items())


class Repeats(logging.Filter):
    """Leaves out events that are repeated many times per minute, and says how many when the minute is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the record is to be written."""
        key, now = (record.name, str(record.msg)), self._clock()
        since, count = self._seen.get(key, (now, 0))
        if now - since > _REPEATED_S:
            if count > _MAX_REPEATS:
                record.fields = {**getattr(record, "fields", {}), "left_out": count - _MAX_REPEATS}
            since, count = now, 0
        if len(self._seen) > 1000:  # events with ever new texts must not fill the memory
            self._seen.clear()
        self._seen[key] = (since, count + 1)
        return count < _MAX_REPEATS


def set_up_logs() -> None:
    """Has everything from warnings on, and the events of this package, written to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    handler.addFilter(Repeats())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("retrieval").setLevel(logging.INFO)
    warnings.showwarning = log_warning


def log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Logs which library warns and where: its words may quote what a visitor sent."""
    fields = {"category": category.__name__, "at": f"{filename}:{lineno}"}
    logging.getLogger(__name__).warning("a library warns", extra={"fields": fields})


def take_over_logs(*names: str) -> None:
    """Has loggers with handlers of their own, such as the web server's, write to the log like all others."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _written(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if text and shlex.quote(text) == text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
