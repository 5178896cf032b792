"""Output for a terminal: texts cannot steer it, any encoding prints something, and a closed pipe is no error."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import TextIO

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
)
"""Control characters but tab and line break, what changes the direction of writing, and halves of characters."""
_PIPE_STATUS = 141
"""What a shell gives for a command that SIGPIPE ended: 128 + 13."""


def printable(text: str, max_chars: int | None = None) -> str:
    """Returns a text whose control characters are written out, as `\\x1b`, and cut to `max_chars` with a sign of it."""
    num_left = 0 if max_chars is None else max(0, len(text) - max_chars)
    shown = text[:max_chars] if num_left else text
    more = f"… ({num_left:,} more characters)" if num_left else ""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), shown) + more


def run(main: Callable[[], int]) -> int:
    """Returns the exit status of a command, whose output may be read to its end or not, in any encoding."""
    _set_errors(sys.stdin, "replace")
    for stream in (sys.stdout, sys.stderr):
        _set_errors(stream, "backslashreplace")
    try:
        status = main()
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would try once more to write it when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_STATUS
    return status


def _set_errors(stream: TextIO | None, errors: str) -> None:
    # A stream may be closed, or stand for another, as in tests.
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=errors)
