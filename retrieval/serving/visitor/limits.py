"""The limits of a visitor's build. A public page states them before anybody reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from retrieval.errors import BuildError

_OFF = ("0", "false", "no", "off")
_LARGEST_FILE_FLOOR_BYTES = 256_000_000
_FLOAT32_BYTES_PER_ROW = 4 * 1024
"""Room for the largest file of an index: float32 vectors of up to a thousand dimensions."""


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """Limits of one build, and of all of them together."""

    is_on: bool = True
    """Whether visitors may build at all."""
    max_rows: int = 20_000
    max_bytes: int = 40_000_000
    """Of the uploaded file; `max_rows` float32 vectors of 384 dimensions take 31 MB."""
    max_seconds: int = 90
    num_slots: int = 1
    """Builds that run at a time; others wait for their turn."""
    max_text_chars: int = 100_000
    """Longer texts are cut there; the model reads the first few hundred words anyway."""
    max_waiting: int = 20
    """Builds that may wait for their turn."""
    max_sessions: int = 200
    """Visitors who may have data here at a time."""
    max_total_bytes: int = 2_000_000_000
    """Of everything that visitors have here: data, uploads in progress, and indexes."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Returns the limits that OWN_DATA, OWN_MAX_ROWS, OWN_MAX_MB, OWN_MAX_SECONDS and OWN_MAX_TOTAL_MB set.

        Raises:
            BuildError: if one of them is not a whole number from 1 on.
        """
        return cls(
            is_on=environment.get("OWN_DATA", "1").strip().lower() not in _OFF,
            max_rows=_whole(environment, "OWN_MAX_ROWS", cls().max_rows),
            max_bytes=1_000_000 * _whole(environment, "OWN_MAX_MB", cls().max_bytes // 1_000_000),
            max_seconds=_whole(environment, "OWN_MAX_SECONDS", cls().max_seconds),
            max_total_bytes=1_000_000 * _whole(environment, "OWN_MAX_TOTAL_MB", cls().max_total_bytes // 1_000_000),
        )

    @property
    def max_upload_bytes(self) -> int:
        """Returns how large an upload the server may accept at all: nothing to speak of when builds are off."""
        return self.max_bytes if self.is_on else 1

    @property
    def max_file_bytes(self) -> int:
        """Returns how large a file of a build may become: a small table can unpack into a huge one."""
        return max(_LARGEST_FILE_FLOOR_BYTES, _FLOAT32_BYTES_PER_ROW * self.max_rows, 8 * self.max_bytes)


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise BuildError(f"{name} is {text!r}: a whole number of at least 1 is needed.")
    return int(text)
