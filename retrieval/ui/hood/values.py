"""The numbers and words that fill in the texts of the lesson: `{{name}}` there is a name here."""

from __future__ import annotations

import json

import numpy as np

from retrieval.bundle.manifest import Manifest
from retrieval.quantization import num_code_bytes
from retrieval.results import MemoryReport
from retrieval.search.explanation.explain import Explanation
from retrieval.ui.markup import data_size

_MOST_QUERY_CHARS = 400
"""A longer query is shortened in the code: the model would have cut most of it."""


def index_values(manifest: Manifest, index: str) -> dict[str, str]:
    """Returns what is known of an index without a query; `index` is its name in the page."""
    sizes = MemoryReport((), manifest.distinct_text_count, manifest.dim)
    return {
        "n": f"{manifest.row_count:,}",
        "texts": f"{manifest.distinct_text_count:,}",
        "dim": f"{manifest.dim:,}",
        "half_dim": f"{manifest.dim / 2:g}",
        "float32_bytes": f"{4 * manifest.dim:,}",
        "num_tables": f"{2 * num_code_bytes(manifest.dim):,}",
        "code_bytes": f"{num_code_bytes(manifest.dim):,}",
        "float32_size": data_size(sizes.float32_bytes),
        "int8_size": data_size(sizes.int8_bytes),
        "binary_size": data_size(sizes.binary_bytes),
        "folder": json.dumps(f"assets/indexes/{index}"),
        "model": json.dumps(manifest.model_id),
    }


def query_values(explanation: Explanation) -> dict[str, str]:
    """Returns what one query adds to them."""
    response, document = explanation.response, explanation.document
    num_read = response.int8_rows_read or document.raw.num_compared
    first = int(explanation.code[0])
    return {
        "query": json.dumps(explanation.text[:_MOST_QUERY_CHARS], ensure_ascii=False),
        "row": str(explanation.hit.row),
        "first_bytes": str(explanation.code[:4].tolist()),
        "first_byte": str(first),
        "first_byte_signed": str(first - 128),
        "distance": str(int(document.differs.sum())),
        "num_candidates": f"{response.num_candidates:,}",
        "plain_candidates": str(response.num_candidates),
        "num_read": f"{num_read:,}",
        "plain_read": str(num_read),
        "plain_top_k": str(len(response.hits)),
        "score": f"{document.score:.5f}",
        "raw": f"{document.raw.score:.1f}",
        "constant_dimensions": _constant_dimensions(explanation),
    }


def _constant_dimensions(explanation: Explanation) -> str:
    constant = explanation.constant_dimensions
    if len(constant) == 0:
        return "This index has none; some models have a few."
    names = ", ".join(str(dimension) for dimension in constant[:6].tolist())
    more = f" and {len(constant) - 6} more" if len(constant) > 6 else ""
    widest = 255 * float(np.max(explanation.quantizer.step[constant] * (explanation.quantizer.step[constant] != 1.0)))
    width = f"its widest range is {widest:.0e}" if widest else "the range is 0"
    return f"This index has {len(constant)} (number {names}{more}): {width}."
