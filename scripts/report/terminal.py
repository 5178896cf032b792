"""What commands share: queries from a file, figures to one, errors in a line, and output for a terminal.

Texts cannot steer the terminal, any encoding prints something, and a closed pipe is no error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TextIO

from retrieval import QueryError, RetrievalError
from retrieval.bundle.files import write_json

Main = Callable[[list[str] | None], int]
"""Takes the arguments, those of the command line for None, and returns the exit status."""

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
)
"""Control characters but tab and line break, what changes the direction of writing, and halves of characters."""
_PIPE_STATUS = 141
"""What a shell gives for a command that SIGPIPE ended: 128 + 13."""


def printable(text: str, max_chars: int | None = None) -> str:
    """Returns a text with control characters written out, as `\\x1b`, and cut to `max_chars` with a mark."""
    num_left = 0 if max_chars is None else max(0, len(text) - max_chars)
    shown = text[:max_chars] if num_left else text
    more = f"… ({num_left:,} more characters)" if num_left else ""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), shown) + more


def read_queries(file: Path) -> list[str]:
    """Returns the queries in a file, one per line.

    Raises:
        QueryError: if it cannot be read, or holds no query.
    """
    try:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot read the queries in {file}: {error}") from error
    if not lines:
        raise QueryError(f"{file} holds no query: one per line is needed.")
    return lines


def read_figures(file: Path) -> dict[str, Any] | None:
    """Returns the JSON object in a file; None where there is no file.

    Raises:
        RetrievalError: if it cannot be read.
    """
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise RetrievalError(f"{file} cannot be read: {error}. Measure again.") from error


def write_figures(file: Path, figures: Mapping[str, Any]) -> None:
    """Writes figures as JSON.

    Raises:
        RetrievalError: if the file cannot be written.
    """
    try:
        write_json(file, figures)
    except OSError as error:
        raise RetrievalError(f"cannot write {file}: {error.strerror or error}.") from error


def command(stopped: str = "stopped.") -> Callable[[Main], Main]:
    """Decorates a `main`: an error is one line on standard error and status 1, Ctrl-C is the line `stopped` and 130."""

    def decorate(main: Main) -> Main:
        @wraps(main)
        def whole(arguments: list[str] | None = None) -> int:
            try:
                return main(arguments)
            except BrokenPipeError:
                raise  # nobody reads the rest: see `run`
            except (RetrievalError, OSError) as error:
                print(f"error: {printable(str(error))}", file=sys.stderr)
                return 1
            except KeyboardInterrupt:
                print(stopped, file=sys.stderr)
                return 130

        return whole

    return decorate


def run(main: Main) -> int:
    """Returns the exit status of a command, whether or not its output is read to the end, in any encoding."""
    _set_errors(sys.stdin, "replace")
    for stream in (sys.stdout, sys.stderr):
        _set_errors(stream, "backslashreplace")
    try:
        status = main(None)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. Python would try to write again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_STATUS
    return status


def _set_errors(stream: TextIO | None, errors: str) -> None:
    # A stream may be closed, or stand for another, as in tests.
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=errors)
