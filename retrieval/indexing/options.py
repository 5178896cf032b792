"""Options of a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle.tuning import DEFAULT_TARGET_SHARE, is_share
from retrieval.errors import BuildError


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Options of a build."""

    limit: int | None = None
    """Read at most this many rows."""
    overwrite: bool = False
    baseline: bool = True
    """Keep the float32 embeddings, which the exact search and the measurements need."""
    embeddings: Path | None = None
    """A `.npy` file of existing vectors, one per row of the corpus as read; then nothing is encoded."""
    title: str | None = None
    """What the documents are, in one line for people; the source's own title when not given."""
    target_share: float = DEFAULT_TARGET_SHARE
    """The search settings are the smallest that keep this share of what rescoring all int8 vectors would find."""
    lists: int | None = None
    """How many lists the scan `lists` gets; 0 for none, None for a suitable number from a million texts on,
    and none below that."""
    center: bool = False
    """Subtract the mean of the vectors before the sign: for vectors whose dimensions mostly have one sign."""

    checkpoint_texts: int = 4096
    """Vectors made between two checkpoints: the most that a kill costs."""

    def __post_init__(self) -> None:
        if not is_share(self.target_share):
            raise BuildError(f"target_share is {self.target_share!r}: a number above 0, and at most 1, is needed.")
        if self.lists is not None and (type(self.lists) is not int or self.lists < 0):
            raise BuildError(f"lists is {self.lists!r}: a whole number from 0 on, or None, is needed.")
