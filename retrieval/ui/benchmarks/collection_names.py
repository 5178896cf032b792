"""What a reader calls the judged collections, which have short names in their files."""

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
    """Returns the name of a collection in words; one that is not known keeps its own.

    Args:
        name: as the figures have it, such as `cran` or `cran among 117,581`.
    """
    own, among, rest = name.partition(" among ")
    return _NAMES.get(own, own) + among + (f"{rest} texts" if among else "")
