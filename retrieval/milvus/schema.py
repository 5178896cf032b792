"""What one row of an index is in Milvus, written and read.

The bits are a BINARY_VECTOR. The int8 codes are base64 in a VARCHAR: an ARRAY of INT8 takes three times as long to come
back and four bytes per value in the server's memory. The document is JSON, of which Milvus allows 65,536 bytes: longer
texts are cut.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.errors import BundleIncompatibleError
from retrieval.milvus.address import MilvusAddress
from retrieval.quantization import Bits, Int8s, num_code_bytes
from retrieval.results import Document, json_values

ROW, FIRST_ROW, GROUP, QUALITY = "row", "first_row", "group_id", "quality"
BITS, CODES, DOCUMENT = "bits", "codes", "document"
FACTS = (ROW, FIRST_ROW, GROUP, QUALITY)
NO_GROUP = -1
"""The group of all rows of a corpus without groups."""
_MOST_JSON_BYTES = 65_000
_CUT = "…"


def fields(dim: int) -> list[dict[str, Any]]:
    """Returns the fields of a collection for vectors of `dim` dimensions, as `add_field` of pymilvus takes them."""
    return [
        {"field_name": ROW, "datatype": "INT64", "is_primary": True},
        {"field_name": FIRST_ROW, "datatype": "INT64"},
        {"field_name": GROUP, "datatype": "INT64"},
        {"field_name": QUALITY, "datatype": "DOUBLE"},
        {"field_name": BITS, "datatype": "BINARY_VECTOR", "dim": 8 * num_code_bytes(dim)},
        {"field_name": CODES, "datatype": "VARCHAR", "max_length": 4 * -(-dim // 3)},
        {"field_name": DOCUMENT, "datatype": "JSON"},
    ]


def check_fields(found: Mapping[str, int], dim: int, address: MilvusAddress) -> None:
    """Checks the fields of a collection, with the dimension of each, against those for vectors of `dim` dimensions.

    Raises:
        BundleIncompatibleError: if one is missing, or the bits have another length.
    """
    expected = {field["field_name"]: field.get("dim", 0) for field in fields(dim)}
    if lacking := expected.keys() - found.keys():
        raise BundleIncompatibleError(f"{address} lacks the field {min(lacking)}: load the index again.")
    if found[BITS] != expected[BITS]:
        raise BundleIncompatibleError(
            f"{address} holds vectors of {found[BITS]} bits, its manifest says {dim}: load the index again."
        )


def document_json(document: Document) -> tuple[dict[str, Any], bool]:
    """Returns a document as Milvus stores it, and whether any of it had to be cut."""
    values: dict[str, Any] = {
        "text": document.text,
        "body": document.body,
        "url": document.url,
        "group": document.group,
        "quality": document.quality,
        "extra": dict(document.extra),
    }
    plain: dict[str, Any] = json.loads(json.dumps(json_values(values), default=str))
    is_cut = False
    while (too_many := _size(plain) - _MOST_JSON_BYTES) > 0:
        is_cut = True
        _cut_longest(plain, too_many)
    return plain, is_cut


def size_of(entity: Mapping[str, Any]) -> int:
    """Returns about how many bytes an entity takes in a message."""
    document = entity[DOCUMENT]
    texts = sum(len(document[name] or "") for name in ("text", "body", "url"))
    return len(entity[CODES]) + len(entity[BITS]) + 3 * texts + 2 * len(str(document["extra"]))


def document_of(row: int, values: Mapping[str, Any]) -> Document:
    """Returns the document in the JSON of a row."""
    return Document(
        row=row,
        text=values["text"],
        body=values["body"],
        url=values["url"],
        group=values["group"],
        quality=values["quality"],
        extra=values["extra"],
    )


def encoded(codes: Int8s) -> list[str]:
    """Returns int8 codes `(n, dim)` as texts."""
    return [base64.b64encode(row.tobytes()).decode("ascii") for row in codes]


def decoded(texts: Sequence[str], dim: int) -> Int8s:
    """Returns the int8 codes `(n, dim)` in texts."""
    joined = b"".join(map(base64.b64decode, texts))
    codes: Int8s = np.frombuffer(joined, np.int8).reshape(len(texts), dim)
    return codes


def packed(bits: Sequence[bytes], count: int, dim: int) -> Bits:
    """Returns so many sign bits, `(count, ceil(dim / 8))`, in the bytes that Milvus gives for its vectors."""
    codes: Bits = np.frombuffer(b"".join(bits), np.uint8).reshape(count, num_code_bytes(dim))
    return codes


def among(field: str, values: Rows) -> str:
    """Returns the expression that holds for the entities whose `field` is one of `values`."""
    return f"{field} in {values.tolist()}"


def _size(values: Mapping[str, Any]) -> int:
    return len(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _cut_longest(values: dict[str, Any], num_bytes: int) -> None:
    """Cuts the longest text of a document by this many bytes, or to nothing; else drops an extra column."""
    places = [(values, name) for name in ("text", "body", "url", "group") if values[name]]
    extra = values["extra"]
    for name, value in extra.items():
        if not isinstance(value, str):
            extra[name] = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
    places += [(extra, name) for name, value in extra.items() if isinstance(value, str) and value != _CUT]
    if not places:  # very many small columns
        extra.popitem()
        return
    holder, name = max(places, key=lambda place: len(place[0][place[1]].encode("utf-8", "surrogatepass")))
    text = holder[name]
    # An escaped character takes up to six bytes: cut at least this much, and repeat if necessary.
    kept = len(text) - max(1, num_bytes // 4) - len(_CUT)
    holder[name] = text[: max(0, kept)] + _CUT
