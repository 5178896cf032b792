"""How the server ends: on any of the usual signals, within seconds, with its temporary files and children gone."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

GRACE_S = 5.0
"""Anything that has not ended by then is cut off."""
_CLEAN_UP_S = 3.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_LOG = logging.getLogger(__name__)
_clean_ups: list[Callable[[], None]] = []


def at_end(clean_up: Callable[[], None]) -> None:
    """Has `clean_up` called when the process ends, by itself or because it is told to. It may be called twice."""
    if not _clean_ups:
        atexit.register(_clean)
    _clean_ups.append(clean_up)


def end_process() -> NoReturn:
    """Cleans up and ends the process with status 0; no search that still runs is waited for, and no thread pool."""
    cleaning = threading.Thread(target=_clean, name="clean-up", daemon=True)
    cleaning.start()
    cleaning.join(_CLEAN_UP_S)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _clean() -> None:
    for clean_up in _clean_ups:
        try:
            clean_up()
        except Exception:  # noqa: BLE001 - the end of the process: the next one is to be called, too
            _LOG.exception("a clean-up failed")


class StopRequest:
    """Handles the signals that end a server. The first one raises `KeyboardInterrupt` in the main thread.

    The exception alone can be lost: libraries that are starting swallow what is raised in them. So `asked` stays true,
    and the process is ended after `grace_s` seconds, whatever it is doing.
    """

    def __init__(self, grace_s: float = GRACE_S) -> None:
        """Takes over the signals; call it in the main thread."""
        self.asked = False
        self._grace_s = grace_s
        # A pipe and no lock: a handler runs between any two steps of the main thread, which may hold the lock.
        self._wake_up, self._wakes_up = os.pipe()
        threading.Thread(target=self._end_when_late, name="stop-deadline", daemon=True).start()
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            # nohup asks to ignore this one
            if number != getattr(signal, "SIGHUP", None) or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ask)

    def _ask(self, signal_number: int, frame: FrameType | None) -> None:
        if self.asked:
            return
        self.asked = True
        os.write(self._wakes_up, b".")
        raise KeyboardInterrupt

    def _end_when_late(self) -> None:
        os.read(self._wake_up, 1)
        time.sleep(self._grace_s)
        end_process()
