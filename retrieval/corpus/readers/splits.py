"""Which split of a data set to read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from retrieval.errors import CorpusError, counted

_USUAL = "train"
_NAME = re.compile(r"(train|training|test|testing|validation|valid|val|dev|eval)(?=[-_.\d]|$)", re.IGNORECASE)


def choose_split(sizes: Mapping[str, int | None], wanted: str | None, source: object) -> tuple[str, tuple[str, ...]]:
    """Returns the split to read, given the rows of each, and a note on the others.

    It is the requested one; else `train`, or the only one.

    Raises:
        CorpusError: if there is no split of that name, or it is not clear which one is meant.
    """
    names = ", ".join(sizes)
    if wanted is not None and wanted not in sizes:
        raise CorpusError(f"{source} has no split {wanted!r}: choose one of {names} (--split).")
    if wanted is None and _USUAL not in sizes and len(sizes) != 1:
        raise CorpusError(f"{source} has the splits {names}, and none is called 'train': choose one (--split).")
    chosen = wanted or (_USUAL if _USUAL in sizes else next(iter(sizes)))
    others = [
        name + (f" ({counted(size, 'row')})" if size is not None else "")
        for name, size in sizes.items()
        if name != chosen
    ]
    if not others:
        return chosen, ()
    size = sizes[chosen]
    rows = f" ({counted(size, 'row')})" if size is not None else ""
    return chosen, (
        f"{Path(str(source)).name}: the split {chosen}{rows} was read; there are also {', '.join(others)} (--split).",
    )


def split_named(file_name: str) -> str | None:
    """Returns the split that a file is part of by its name, such as `train-00000-of-00002.parquet`; None for others."""
    found = _NAME.match(file_name)
    return found[1].lower() if found else None
