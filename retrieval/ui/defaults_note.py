"""Where the settings of an index come from, in a sentence or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval.benchmark.figures.reading import count_at, number_at, text_at, value_at


def defaults_note(search: Mapping[str, Any]) -> str:
    """Returns, as HTML, what `Manifest.search` tells of the choice of candidates and multiplier."""
    return f'<p class="defaults-note">{_words(search)}</p>'


def _words(search: Mapping[str, Any]) -> str:
    source = text_at(search, "source")
    if source == "default":
        return "Candidates and multiplier are the program's own defaults: nothing was measured on this index."
    if source != "measured":
        return "This index does not tell how its candidates and multiplier were chosen."
    words = "Candidates and multiplier were measured when this index was built"
    queries, target = count_at(search, "sampled_queries"), number_at(search, "target_share")
    if queries:
        words += f", with {queries:,} of its texts as queries"
    if target is not None:
        words += f", to find {100 * target:g} % of what rescoring all int8 vectors would"
        if value_at(search, "reached") is False:
            words += "; nothing that was tried reaches that"
    return words + "."
