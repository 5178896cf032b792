"""Whether a remote index is there: it is checked every two seconds, so that nobody waits for one that is gone."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable

from retrieval.errors import BundleError

_EVERY_S = 2.0


class EngineState:
    """Checks an index in a thread, for as long as this object is in use. Safe to use from many threads."""

    def __init__(self, check: Callable[[], None]) -> None:
        """Takes a check that raises a `BundleError` while the index is not there; it must be a method of an object."""
        self._check = weakref.WeakMethod(check)
        self._failure: BundleError | None = None
        self._is_watched = False

    def watch(self) -> None:
        """Starts to check."""
        if not self._is_watched:
            self._is_watched = True
            threading.Thread(target=_watch, args=(weakref.ref(self),), name="watch-engine", daemon=True).start()

    def look(self) -> None:
        """Looks now."""
        if (check := self._check()) is None:
            return
        try:
            check()
        except BundleError as error:
            self._failure = error
        else:
            self._failure = None

    @property
    def word(self) -> str:
        """Returns `answers`, or `does not answer`."""
        return "answers" if self._failure is None else "does not answer"

    def raise_if_failed(self) -> None:
        """Raises the error of the last check.

        Raises:
            BundleError: if the index was not there.
        """
        if (failure := self._failure) is not None:
            raise type(failure)(f"{failure} It is checked again every {_EVERY_S:g} s.")


def _watch(state_of: weakref.ref[EngineState]) -> None:
    while (state := state_of()) is not None:
        state.look()
        del state
        time.sleep(_EVERY_S)
