"""The pictures of the scans: the table for four numbers of the query, and what visiting more lists finds."""

from __future__ import annotations

import numpy as np

from retrieval.bundle.manifest import Manifest
from retrieval.bundle.tuning import ScanRecall
from retrieval.errors import counted
from retrieval.search.explanation.explain import Explanation
from retrieval.ui.scan_choice import lists_visited

_GROUP = 4
"""Dimensions that share a table."""


def table_figure(explanation: Explanation) -> str:
    """Returns the 16 sums of the query's first four numbers, with the one that the document's bits select marked."""
    numbers, bits = explanation.vector[:_GROUP], explanation.document.bits[:_GROUP]
    patterns = (np.arange(2 ** len(numbers))[:, None] >> np.arange(len(numbers))[::-1]) & 1
    sums = (2.0 * patterns - 1.0) @ numbers
    chosen = int(np.flatnonzero((patterns == bits).all(axis=1))[0])
    highest = float(np.abs(sums).max()) or 1.0
    bars = "".join(_bar(place, float(each) / highest, place == chosen) for place, each in enumerate(sums))
    pattern = "".join(map(str, bits.tolist()))
    total = float((2.0 * explanation.document.bits - 1.0) @ explanation.vector)
    shown = ", ".join(_signed(float(number)) for number in numbers)
    return (
        f"<h3>One table: the first {counted(len(numbers), 'number')} of your query</h3>"
        f'<div class="plot"><svg viewBox="0 0 {len(sums)} 2" preserveAspectRatio="none" role="img" aria-label="'
        f'{len(sums)} sums; that of the pattern {pattern} is marked">{bars}</svg></div>'
        f'<div class="axis"><span style="left:{100 * (chosen + 0.5) / len(sums):.1f}%">{pattern}</span></div>'
        f'<p class="result">{shown} can give {len(sums)} sums. The first bits of this document are {pattern}: '
        f"<strong>{_signed(float(sums[chosen]))}</strong>. The sums from all tables add up to "
        f"<strong>{_signed(total)}</strong>, the score of the document in this scan, before it becomes a cosine.</p>"
    )


def lists_figure(manifest: Manifest) -> str:
    """Returns what visiting more lists found when the index was built, or that it has no lists."""
    tuning = manifest.tuning
    tried = {} if tuning is None else {each.probes: each for each in tuning.scans if each.probes is not None}
    if not manifest.has_lists:
        return '<p class="result">This index has no lists: every query reads the bits of all documents.</p>'
    if tuning is None or not tried:
        return '<p class="result">This index has lists, but their recall was not measured when it was built.</p>'
    rows = "".join(_row(f"{lists_visited(probes, tuning)} lists", tried[probes]) for probes in sorted(tried))
    everything = "".join(_row("all of them", each) for each in tuning.scans if each.scan == "float-bits")
    return (
        "<h3>The more lists a query visits, the more it finds</h3>"
        f'<ol class="steps-down" aria-label="Recall by lists visited">{rows}{everything}</ol>'
    )


def _bar(place: int, share: float, is_chosen: bool) -> str:
    top, height = (1 - share, share) if share > 0 else (1.0, -share)
    kind = "near" if is_chosen else "far"
    return f'<rect class="{kind}" x="{place + 0.1:.1f}" y="{top:.3f}" width="0.8" height="{max(height, 0.01):.3f}"/>'


def _row(words: str, measured: ScanRecall) -> str:
    return (
        f'<li><span class="what">{words}</span><span class="bar"><i class="mixed" '
        f'style="width:{100 * measured.recall:.1f}%"></i></span><strong>{measured.recall:.3f}</strong>'
        "<small>recall@10, with int8</small></li>"
    )


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "&minus;")
