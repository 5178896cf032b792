"""The tables of sizes: what an index costs at each precision, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from retrieval.bundle.bundle import Manifest
from retrieval.evaluation.cost import ARTICLE_PRICE, Holding, dollars
from retrieval.ui.markup import data_size

_MANY = 250_000_000
"""The number of documents in the article's tables."""


@dataclass(frozen=True, slots=True)
class Precision:
    """A way to keep one number."""

    name: str
    colour: str
    bits: int
    values: str
    """How many different ones there are."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to search, with the article's figures for it."""

    name: str
    colour: str
    vector_bytes: int
    """Of each vector, in memory."""
    speed: str
    quality: tuple[str, str]
    """Share of float32's nDCG@10: mxbai-embed-large-v1, all-MiniLM-L6-v2."""
    recall_key: str
    """Its name among the measured recalls of a manifest."""
    besides: str = ""


PRECISIONS = (
    Precision("float32", "float32", 32, "4 billion"),
    Precision("float16", "float32", 16, "65,536"),
    Precision("int8", "int8", 8, "256"),
    Precision("binary", "binary", 1, "2"),
)


def vector_bytes(dim: int, bits: int) -> int:
    """Returns the bytes of one vector of `dim` numbers of `bits` bits."""
    return (dim * bits + 7) // 8


def dollars_a_month(size_bytes: int) -> str:
    """Returns what so much memory costs in a month, by the article's price."""
    return dollars(Holding(size_bytes, ARTICLE_PRICE).monthly)


def why_figure(manifest: Manifest) -> str:
    """Returns what this index, and one of 250 million documents, would take at each precision."""
    rows = "".join(_precision_row(precision, manifest) for precision in PRECISIONS)
    bars = "".join(_price_bar(precision, manifest.dim) for precision in PRECISIONS)
    return (
        f"<h3>250 million documents of {manifest.dim:,} dimensions, in memory for a month</h3>"
        f'<ol class="prices" aria-label="Price by precision">{bars}</ol>'
    ) + _table(
        ["One number", "Bits", "Values", "A vector", "This index", "250 million"],
        rows,
        "Memory by precision",
    )


def sum_figure(manifest: Manifest) -> str:
    """Returns what each way of searching takes and gives, in the article and, where it was measured, in this index."""
    tuning = manifest.tuning
    recall = {} if tuning is None else {"float32": 1.0, **asdict(tuning.recall)}
    dim, n = manifest.dim, manifest.row_count
    bits, int8 = vector_bytes(dim, 1), vector_bytes(dim, 8)
    ways = [
        Way("float32", "float32", 4 * dim, "1&times;", ("100 %", "100 %"), "float32"),
        Way("int8", "int8", int8, "3.66&times;", ("97 %", "90.79 %"), "int8_all"),
        Way("bits", "binary", bits, "24.76&times;", ("92.53 %", "&ndash;"), "bits"),
        Way("bits, float query", "mixed", bits, "&ndash;", ("96.45 %", "93.79 %"), "float_bits"),
        Way("bits, then int8", "binary", bits, "&ndash;", ("&ndash;", "&ndash;"), "chosen", f" + {int8:,} on disk"),
    ]
    rows = [_way(way, n, recall) for way in ways]
    names = ["Search by", "A vector", "In memory", "Speed", "Quality, mxbai", "Quality, MiniLM"]
    note = (
        '<p class="readout">Speed and quality are the article&rsquo;s: exact search on CPUs; nDCG@10 over 15 '
        "collections, as a share of float32&rsquo;s; int8 there are raw codes. "
    )
    if not recall:
        note += "What is lost in this index was not measured when it was built.</p>"
        return _table(names, "".join(rows), "What each way of searching takes and gives") + note
    note += "recall@10 was measured on this index when it was built.</p>"
    return _table([*names, "recall@10 here"], "".join(rows), "What each way of searching takes and gives") + note


def _way(way: Way, num_vectors: int, recall: Mapping[str, float]) -> str:
    found = recall.get(way.recall_key)
    measured = "" if not recall else "<td>&ndash;</td>" if found is None else f"<td><strong>{found:.3f}</strong></td>"
    return (
        f'<tr><th scope="row"><i class="dot {way.colour}" aria-hidden="true"></i>{way.name}</th>'
        f"<td>{way.vector_bytes:,} B{way.besides}</td><td>{data_size(way.vector_bytes * num_vectors)}</td>"
        f"<td>{way.speed}</td><td>{way.quality[0]}</td><td>{way.quality[1]}</td>{measured}</tr>"
    )


def _precision_row(precision: Precision, manifest: Manifest) -> str:
    size = vector_bytes(manifest.dim, precision.bits)
    return (
        f'<tr><th scope="row"><i class="dot {precision.colour}" aria-hidden="true"></i>{precision.name}</th>'
        f"<td>{precision.bits}</td><td>{precision.values}</td><td>{size:,} B</td>"
        f"<td>{data_size(size * manifest.row_count)}</td><td>{data_size(size * _MANY)}</td></tr>"
    )


def _price_bar(precision: Precision, dim: int) -> str:
    size = vector_bytes(dim, precision.bits)
    share = 100 * size / vector_bytes(dim, PRECISIONS[0].bits)
    return (
        f'<li><span class="what">{precision.name}</span><span class="bar"><i class="{precision.colour}" '
        f'style="width:{share:.2f}%"></i></span><strong>{dollars_a_month(size * _MANY)}</strong></li>'
    )


def _table(names: list[str], rows: str, label: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table class="sizes-table"><thead>'
        f"<tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
