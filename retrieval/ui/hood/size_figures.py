"""The tables of sizes: what an index costs at each precision, and what you get for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.bundle.manifest import Manifest
from retrieval.bundle.tuning import Tuning
from retrieval.evaluation.cost import ARTICLE_PRICE, BITS, Holding, dollars
from retrieval.evaluation.way import Way
from retrieval.evaluation.ways import Bits, Float32, FloatBits, Int8, Ours
from retrieval.quantization import vector_bytes
from retrieval.results import SearchSettings
from retrieval.ui.compare.words import WAY_WORDS
from retrieval.ui.markup import data_size, wide_table

_MANY = 250_000_000
"""The number of documents in the article's tables."""
_VALUES = {"float32": "4 billion", "float16": "65,536", "int8": "256", "binary": "2"}
"""How many different values a number of each precision can have."""
_COLOURS = {"float16": "float32"}
"""Precisions with the colour of another."""
_WAYS: tuple[Way, ...] = (Float32(), Int8(), Bits(), FloatBits(num_candidates=1000), Ours(SearchSettings()))
"""The ways in the last table, whose bytes do not depend on their settings."""


@dataclass(frozen=True, slots=True)
class ArticleFigures:
    """What the article measured for a way: exact search on CPUs, and shares of float32's nDCG@10."""

    speed: str = "&ndash;"
    mxbai: str = "&ndash;"
    """With mxbai-embed-large-v1."""
    minilm: str = "&ndash;"
    """With all-MiniLM-L6-v2."""


_ARTICLE = {
    "float32": ArticleFigures("1&times;", "100 %", "100 %"),
    "int8": ArticleFigures("3.66&times;", "97 %", "90.79 %"),
    "bits": ArticleFigures("24.76&times;", "92.53 %"),
    "float_bits": ArticleFigures(mxbai="96.45 %", minilm="93.79 %"),
}
"""By `Way.key`."""


def why_figure(manifest: Manifest) -> str:
    """Returns what this index, and one of 250 million documents, would take at each precision."""
    rows = "".join(_precision_row(name, bits, manifest) for name, bits in BITS.items())
    bars = "".join(_price_bar(name, bits, manifest.dim) for name, bits in BITS.items())
    return (
        f"<h3>250 million documents of {manifest.dim:,} dimensions, in memory for a month</h3>"
        f'<ol class="prices" aria-label="Price by precision">{bars}</ol>'
    ) + wide_table(
        ["One number", "Bits", "Values", "Per vector", "This index", "250 million"], rows, "Memory by precision",
        "sizes-table",
    )  # fmt: skip


def sum_figure(manifest: Manifest) -> str:
    """Returns the cost and quality of each way, in the article and, if it was measured, in this index."""
    recall = {} if manifest.tuning is None else _recall(manifest.tuning)
    rows = "".join(_way(way, manifest, recall) for way in _WAYS)
    names = ["Search by", "Per vector", "In memory", "Speed", "Quality, mxbai", "Quality, MiniLM"]
    measured = "recall@10 was measured on this index" if recall else "The loss in this index was not measured"
    return (
        wide_table(
            [*names, *(["recall@10 here"] if recall else [])], rows, "What each way of searching costs and gives",
            "sizes-table",
        )
        + '<p class="readout">Speed and quality are the article&rsquo;s: exact search on CPUs; nDCG@10 over 15 '
        "collections, as a share of float32&rsquo;s; int8 there are raw codes. "
        f"{measured} when it was built.</p>"
    )  # fmt: skip


def _recall(tuning: Tuning) -> Mapping[str, float]:
    """Returns the recall@10 that the build measured, by `Way.key`."""
    found = tuning.recall
    return {
        "float32": 1.0, "int8": found.int8_all, "bits": found.bits, "float_bits": found.float_bits,
        "ours": found.chosen,
    }  # fmt: skip


def _way(way: Way, manifest: Manifest, recall: Mapping[str, float]) -> str:
    words, article = WAY_WORDS[way.key], _ARTICLE.get(way.key, ArticleFigures())
    size, on_disk = way.ram_vector_bytes(manifest.dim), way.disk_vector_bytes(manifest.dim)
    disk = f" + {on_disk:,} on disk" if on_disk else ""
    measured = f"<td><strong>{recall[way.key]:.3f}</strong></td>" if recall else ""
    return (
        f'<tr><th scope="row"><i class="dot {words.colours.split()[0]}" aria-hidden="true"></i>{words.name}</th>'
        f"<td>{size:,} B{disk}</td><td>{data_size(size * manifest.distinct_text_count)}</td>"
        f"<td>{article.speed}</td><td>{article.mxbai}</td><td>{article.minilm}</td>{measured}</tr>"
    )


def _precision_row(name: str, bits: int, manifest: Manifest) -> str:
    size = vector_bytes(manifest.dim, bits)
    return (
        f'<tr><th scope="row"><i class="dot {_COLOURS.get(name, name)}" aria-hidden="true"></i>{name}</th>'
        f"<td>{bits}</td><td>{_VALUES[name]}</td><td>{size:,} B</td>"
        f"<td>{data_size(size * manifest.distinct_text_count)}</td><td>{data_size(size * _MANY)}</td></tr>"
    )


def _price_bar(name: str, bits: int, dim: int) -> str:
    size = vector_bytes(dim, bits)
    price = dollars(Holding(size * _MANY, ARTICLE_PRICE).monthly)
    share = 100 * size / vector_bytes(dim, BITS["float32"])
    return (
        f'<li><span class="what">{name}</span><span class="bar"><i class="{_COLOURS.get(name, name)}" '
        f'style="width:{share:.2f}%"></i></span><strong>{price}</strong></li>'
    )
