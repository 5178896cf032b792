"""Where the time of a query went, stage by stage, and how fast this visitor's queries were."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.errors import counted
from retrieval.results import STAGES, SearchResponse
from retrieval.ui.markup import escaped, milliseconds
from retrieval.ui.visit import Visit


@dataclass(frozen=True, slots=True)
class StageWords:
    """A stage in a few words, and the precision whose colour it has."""

    label: str
    what: str
    colour: str


_WORDS = {
    "encode": StageWords("Encode", "text to float32", "float32"),
    "binarize": StageWords("Binarize", "keep the signs", "binary"),
    "hamming": StageWords("Hamming", "against all bits", "binary"),
    "float_bits": StageWords("Float &times; bits", "against all bits", "mixed"),
    "lists": StageWords("Lists", "nearest lists only", "mixed"),
    "asymmetric": StageWords("Asymmetric", "float32 &times; bits", "mixed"),
    "rescore": StageWords("Rescore", "int8 from disk", "int8"),
    "documents": StageWords("Documents", "texts of the hits", "text"),
    "network": StageWords("Network", "round trips alone", "network"),
}

_OTHER_SCANS = ("float_bits", "lists")
_NOT_ALWAYS = (*_OTHER_SCANS, "network")
"""Stages that are shown only if they took time, not as `off`."""
_OF_HAMMING = ("hamming", "asymmetric")
"""A search has one scan, and only after Hamming distances there may be an asymmetric stage."""
_LEAST_QUERIES = 5
"""Percentiles of fewer values mean nothing."""


def latency_panel(response: SearchResponse, visit: Visit) -> str:
    """Returns the panel for the last query."""
    latency = response.latency
    total = milliseconds(latency.total_ms)
    elsewhere = _OTHER_SCANS if response.settings.scan == "hamming" else _OF_HAMMING
    shown = [name for name in STAGES if name not in elsewhere and (name not in _NOT_ALWAYS or latency.stages[name] > 0)]
    shares = [f"{_WORDS[name].label} {milliseconds(latency.stages[name])} ms" for name in shown]
    bar = "".join(
        f'<i class="{_WORDS[name].colour}" style="flex-grow:{latency.stages[name]:.4f}"></i>'
        for name in STAGES
        if latency.stages[name] > 0
    )
    notes = {"encode": "cached: its vector is reused"} if response.vector_was_kept else {}
    if latency.stages["network"] > 0:
        notes |= {"hamming": "in the engine", "rescore": "int8 from the engine"}
    rows = "".join(_stage_row(name, latency.stages[name], notes.get(name)) for name in shown)
    return _panel(
        f'<p class="figure">{total}<small> ms</small></p>'
        f'<div class="stack" role="img" aria-label="{escaped(", ".join(shares))}">{bar}</div>'
        f'<table class="stages"><caption class="unseen">Milliseconds per stage</caption><tbody>{rows}</tbody>'
        f'<tfoot><tr><th scope="row">Whole call</th><td>{total} ms</td></tr></tfoot></table>'
        f"{_funnel(response)}{_session(visit)}"
    )


def empty_latency_panel() -> str:
    """Returns the panel before the first query, in the shape of the full one."""
    rows = "".join(_stage_row(name, None) for name in STAGES if name not in _NOT_ALWAYS)
    return _panel(
        '<p class="figure">&ndash;<small> ms</small></p><div class="stack idle"></div>'
        f'<table class="stages"><caption class="unseen">Milliseconds per stage</caption><tbody>{rows}</tbody></table>'
        '<p class="hint">Measured here, on your first query.</p>'
    )


def _panel(content: str) -> str:
    return f'<section class="panel" id="latency"><h2>Time</h2>{content}</section>'


def _stage_row(name: str, elapsed_ms: float | None, note: str | None = None) -> str:
    words = _WORDS[name]
    what = note or words.what
    value = "&ndash;" if elapsed_ms is None else "off" if elapsed_ms == 0 else f"{milliseconds(elapsed_ms)} ms"
    return (
        f'<tr><th scope="row"><i class="dot {words.colour}" aria-hidden="true"></i>{words.label}'
        f"<small>{what}</small></th><td>{value}</td></tr>"
    )


def _funnel(response: SearchResponse) -> str:
    is_partial = response.settings.scan == "lists"
    compared = "in the index; the nearest lists compared" if is_partial else "compared: all of them"
    fetched = "fetched from the engine" if response.latency.stages["network"] > 0 else "read from disk"
    steps = [
        ("binary", response.num_documents, compared),
        ("mixed", response.num_candidates, "nearest texts kept"),
        ("int8", response.int8_rows_read, f"int8 rows {fetched}"),
        ("text", len(response.hits), "shown"),
    ]
    items = "".join(
        f'<li><i class="dot {colour}" aria-hidden="true"></i><span><strong>{count:,}</strong> {what}</span></li>'
        for colour, count, what in steps
    )
    return f'<ol class="funnel" aria-label="From all documents to the hits">{items}</ol>'


def _session(visit: Visit) -> str:
    percentiles = "".join(
        f"<div><dt>p{percent}</dt><dd>{milliseconds(visit.percentile_ms(percent))} ms</dd></div>"
        for percent in (50, 95)
        if visit.num_queries >= _LEAST_QUERIES
    )
    return (
        f'<dl class="session">{percentiles}'
        f'<div class="of"><dt>your session</dt><dd>{counted(visit.num_queries, "query", "queries")}</dd></div></dl>'
    )
