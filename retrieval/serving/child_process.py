"""What every child process of the server does with its standard streams: reports go out, and its caller's end comes in.

Nothing heavy is imported here: a child does this before all else.
"""

from __future__ import annotations

import os
import threading
from typing import TextIO

_CALLER_IS_GONE = 3


def own_output() -> TextIO:
    """Returns what standard output was; whatever else writes to it from now on goes to standard error."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def end_with_the_caller() -> None:
    """Ends this process, whatever it is doing, once standard input ends: nobody waits for it any more."""
    threading.Thread(target=_wait_for_the_end, name="caller", daemon=True).start()


def _wait_for_the_end() -> None:
    # Not through sys.stdin: its lock, held here, would be in the way of an orderly end.
    while os.read(0, 4096):
        pass
    os._exit(_CALLER_IS_GONE)
