"""A build's progress in the terminal: one bar per phase on standard error, with rate and time left."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from retrieval.indexing.progress import BuildProgress

_UNITS = {"reading": " rows", "copying": " vectors"}


class ProgressBars:
    """Shows what a build reports; pass it as the `report` of `build_index`."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._phase = ""

    def __call__(self, progress: BuildProgress) -> None:
        """Draws one step."""
        if progress.phase == "note":
            tqdm.write(progress.message, file=sys.stderr)
            return
        if progress.phase != self._phase:
            self.close()
            self._phase = progress.phase
            if progress.total is not None or progress.phase == "reading":
                unit = _UNITS.get(progress.phase, " texts")
                self._bar = tqdm(
                    total=progress.total, initial=progress.done, unit=unit, desc=progress.phase, file=sys.stderr
                )
        if self._bar is not None:
            self._bar.update(progress.done - self._bar.n)
        elif progress.message:
            tqdm.write(f"{progress.phase} {progress.message}", file=sys.stderr)

    def close(self) -> None:
        """Ends the bar that is open."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
