"""The errors this package raises on purpose.

    RetrievalError
    ├── QueryError      the query or a search setting cannot be used
    ├── CorpusError     a source of documents cannot be read as asked
    ├── ModelError      the embedding model is missing, altered or another one
    ├── VectorsError    vectors that were given cannot be used
    ├── BuildError      a build was refused or could not finish
    ├── DependencyError an optional package is not installed
    ├── BusyError       a server has too many searches waiting
    ├── ScarceMemoryError  there is too little memory
    └── BundleError     a built index cannot be opened
        ├── HubError                 the hub does not provide or accept it
        ├── EngineError              the engine that holds it cannot be reached, or fails
        ├── BundleMissingError       a file or the folder is not there
        ├── BundleCorruptError       a file is truncated or altered
        └── BundleIncompatibleError  a different format version, model or dimension

Every message says what failed, what was expected against what was found, and what to do next.
"""

from __future__ import annotations

import errno
import os
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 80


def brief(value: object) -> str:
    """Returns a given value for a message: its `repr`, shortened if it is long."""
    return _BRIEF.repr(value)


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Returns a number with its noun: `1 document`, `593,891 documents`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def first_line(error: BaseException) -> str:
    """Returns the first line of what an error says, without its full stop; its type where it says nothing."""
    return str(error).strip().split("\n", maxsplit=1)[0].rstrip(".") or type(error).__name__


class RetrievalError(Exception):
    """Base of every error that a user of this package can fix."""


class QueryError(RetrievalError):
    """The query or a search setting cannot be used."""


class CorpusError(RetrievalError):
    """A source of documents cannot be read as asked."""


class ModelError(RetrievalError):
    """The embedding model is missing, altered, or not the one that is needed."""


class VectorsError(RetrievalError):
    """Given vectors cannot be used: wrong shape or type, not finite, or not those of the texts."""


class BuildError(RetrievalError):
    """A build was refused, or could not finish."""


class DependencyError(RetrievalError):
    """An optional package that is needed for this is not installed; the message has the command that installs it."""


class BusyError(RetrievalError):
    """A server has too many searches waiting; the same search will be answered later."""


class ScarceMemoryError(RetrievalError, MemoryError):
    """There is too little memory for what was asked for. Existing data stays intact."""


@contextmanager
def memory_errors(task: str) -> Iterator[None]:
    """Maps running out of memory, here or in a library, to one error; as a context manager or decorator.

    Args:
        task: what is being done, as in "to open the index".

    Raises:
        ScarceMemoryError: if memory runs out.
    """
    try:
        yield
    except Exception as error:
        # Libraries raise their own types, but with the system's message.
        if not isinstance(error, MemoryError) and os.strerror(errno.ENOMEM) not in str(error):
            raise
        raise ScarceMemoryError(
            f"there is too little memory {task}: end other programs, raise the limit of this one, or use a machine "
            f"with more."
        ) from error


class BundleError(RetrievalError):
    """A built index cannot be opened."""


class HubError(BundleError):
    """The hub does not provide or accept an index: missing, private, unreachable, silent or interrupted."""


class EngineError(BundleError):
    """The engine that holds an index does not answer, refuses, is not ready, or fails."""


class BundleMissingError(BundleError):
    """A bundle, or one of its files, is not there."""


class BundleCorruptError(BundleError):
    """A file of the bundle is truncated or altered."""


class BundleIncompatibleError(BundleError):
    """The bundle is intact, but has a different format version, model or dimension."""
