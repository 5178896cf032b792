"""Calls that fail inside Gradio, such as those with too few values: one line in the log, without what was sent.

Gradio writes the whole traceback to standard error, whose last line may quote a query or a document.
"""

from __future__ import annotations

import logging
import traceback
from types import SimpleNamespace

from gradio import queueing, route_utils, routes

_LOG = logging.getLogger(__name__)


def log_failed_calls() -> None:
    """Makes the Gradio modules that answer calls write failures to the server's log, in its format."""
    ours = SimpleNamespace(**{**vars(traceback), "print_exc": _log})
    for module in (routes, queueing, route_utils):
        module.traceback = ours


def _log(*_: object, **__: object) -> None:
    _LOG.warning("a call failed", exc_info=True)
