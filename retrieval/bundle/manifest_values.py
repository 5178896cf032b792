"""What the values of a manifest may be, and the checksum over them that is kept with them.

The checksum finds damage. It says nothing about who wrote the manifest: a forger can compute it, too.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from retrieval.errors import brief

CHECKSUM = "checksum"
"""The key of the checksum: SHA-256 of all other values, as compact JSON with sorted keys."""
_LARGEST_INT32 = 2**31 - 1
_LARGEST_FLOAT32 = 3.4028235e38
_LARGEST_FILE_BYTES = 2**50
_MOST_DIMENSIONS = 1 << 16
_LONGEST_TEXT = 20_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WHOLE: Mapping[str, tuple[int, int]] = {
    "row_count": (1, _LARGEST_INT32),
    "distinct_text_count": (1, _LARGEST_INT32),
    "dropped_rows": (0, 2**53),
    "dim": (1, _MOST_DIMENSIONS),
}


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a manifest with their checksum, in place of one that they have."""
    rest = {name: value for name, value in values.items() if name != CHECKSUM}
    return {**rest, CHECKSUM: _checksum(rest)}


def check_seal(values: Mapping[str, Any], known: Collection[str]) -> None:
    """Checks the values of a manifest against their checksum.

    Indexes of release 0.1 have none. They have no unknown values either, so that a damaged name of the checksum is not
    taken for one of them.

    Args:
        values: the JSON object.
        known: the names that manifests have in this release, the checksum left out.

    Raises:
        ValueError: if the checksum is another, or is missing although there are unknown values.
    """
    if CHECKSUM not in values:
        if unknown := sorted(values.keys() - set(known)):
            raise ValueError(f"it has the unknown value {brief(unknown[0])} and no {CHECKSUM}, so it is altered")
        return
    rest = {name: value for name, value in values.items() if name != CHECKSUM}
    found, expected = _checksum(rest), values[CHECKSUM]
    if found != expected:
        raise ValueError(f"it is altered: its values have the checksum {found[:16]}…, it says {brief(expected)}")


def check_values(values: Mapping[str, Any]) -> None:
    """Checks type and range of every value that a manifest must have, except what `Int8Quantizer` and `Tuning` check.

    Raises:
        ValueError: if one is of another type, or out of its range.
        KeyError, AttributeError, TypeError: if a part has another shape.
    """
    for name, (lowest, highest) in _WHOLE.items():
        whole(name, values[name], lowest, highest)
    whole("distinct_text_count", values["distinct_text_count"], 1, values["row_count"])
    if values["group_count"] is not None:
        whole("group_count", values["group_count"], 1, values["row_count"])
    for name in ("model_id", "weights_sha256"):
        _text(name, values[name])
    _check_corpus(values["corpus"])
    _check_int8(values["int8"])
    for name in ("num_candidates", "rescore_multiplier"):
        whole(name, values["search"][name])
    _text("source of the search settings", values["search"].get("source"))
    for name, record in values["files"].items():
        whole(f"size of {brief(name)}", record["size_bytes"], 1, _LARGEST_FILE_BYTES)
        if not isinstance(record["sha256"], str) or not _SHA256.fullmatch(record["sha256"]):
            raise ValueError(f"sha256 of {brief(name)} is {brief(record['sha256'])}, 64 hexadecimal digits are needed")
    for name in ("versions", "columns"):
        _check_texts(name, values[name])
    for note in _list("notes", values.get("notes", [])):
        _text("a note", note)
    if not isinstance(values.get("bits", {}), dict):
        raise ValueError(f"bits are {brief(values['bits'])}, an object is needed")
    _check_build(values)


def _check_corpus(corpus: Mapping[str, Any]) -> None:
    for name in ("name", "title"):
        _text(f"corpus {name}", corpus[name])
    for name in ("attribution", "attribution_url", "body_language"):
        if corpus.get(name) is not None:
            _text(f"corpus {name}", corpus[name])
    for example in _list("corpus examples", corpus.get("examples", [])):
        _text("an example of the corpus", example)


def _check_int8(int8: Mapping[str, Any]) -> None:
    """numpy would accept texts, booleans and nested lists as numbers, too."""
    for name in ("minimum", "step"):
        for value in _list(f"int8 {name}", int8[name]):
            number(f"a number of int8 {name}", value)


def _check_texts(name: str, texts: Mapping[str, Any]) -> None:
    if not isinstance(texts, dict):
        raise ValueError(f"{name} are {brief(texts)}, an object is needed")
    for key, text in texts.items():
        _text(f"{name} of {brief(key)}", text)


def _check_build(values: Mapping[str, Any]) -> None:
    _text("built_at", values["built_at"])
    try:
        datetime.datetime.fromisoformat(values["built_at"])
    except ValueError:
        raise ValueError(f"built_at is {brief(values['built_at'])}, a time in ISO 8601 is needed") from None
    number("build_seconds", values["build_seconds"], lowest=0)


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is {brief(value)}, a list is needed")
    return value


def whole(name: str, value: object, lowest: int = 1, highest: int = _LARGEST_INT32) -> int:
    """Returns a value that is a whole number in a range.

    Raises:
        ValueError: if it is none.
    """
    if type(value) is not int or not lowest <= value <= highest:
        raise ValueError(f"{name} is {brief(value)}, a whole number from {lowest:,} to {highest:,} is needed")
    return value


def number(name: str, value: object, lowest: float = -_LARGEST_FLOAT32, highest: float = _LARGEST_FLOAT32) -> float:
    """Returns a value that is a number in a range.

    Raises:
        ValueError: if it is none.
    """
    try:
        found = float(value) if type(value) in (int, float) else math.nan  # type: ignore[arg-type]
    except OverflowError:
        found = math.inf
    if not lowest <= found <= highest:
        raise ValueError(f"{name} is {brief(value)}, a number from {lowest:g} to {highest:g} is needed")
    return found


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{name} is {brief(value)}, a text of at most {_LONGEST_TEXT:,} characters is needed")


def _checksum(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
