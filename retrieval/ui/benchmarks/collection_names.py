"""Readable names for the judged collections, which have short names in their files."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "conala_train": "Python how-to questions",
    "conala_test": "Python how-to questions, test",
    "cosqa_dev": "web queries for Python code",
    "cran": "aeronautics abstracts",
    "med": "medical abstracts",
}


def collection_name(name: str) -> str:
    """Returns a readable name for a collection; an unknown one keeps its own.

    Args:
        name: as the figures have it, such as `cran` or `cran among 117,581`.
    """
    own, among, rest = name.partition(" among ")
    return _NAMES.get(own, own) + among + (f"{rest} texts" if among else "")
