"""The pictures of the steps that the search takes: one document's bits, all distances, the candidates."""

from __future__ import annotations

import math

from retrieval.errors import counted
from retrieval.search.explanation.explain import Explanation
from retrieval.search.explanation.stages import Move
from retrieval.search.rescoring import hamming_scores
from retrieval.ui.hood.distance_chart import distance_chart
from retrieval.ui.hood.grids import GridWords, difference_grid
from retrieval.ui.markup import data_size, escaped, milliseconds, one_line, wide_table

_SHOWN_MOVES = 6
_TEXT_CHARS = 90


def hamming_figure(explanation: Explanation) -> str:
    """Returns the query's bits above the document's, with those that differ marked and counted."""
    document, dim = explanation.document, explanation.dim
    count = int(document.differs.sum())
    estimate = float(hamming_scores(document.differs.sum(keepdims=True).astype("int32"), dim)[0])
    less_mean = " after subtracting the mean" if explanation.is_centered else ""
    ones = [f"{counted(int(bits.sum()), 'one')}." for bits in (explanation.bits, document.bits)]
    return (
        "<h3>Your query</h3>"
        + difference_grid(explanation.bits, document.differs, GridWords("pair", "The query's bits", ones[0]))
        + f"<h3>{_title(explanation)}</h3>"
        + difference_grid(document.bits, document.differs, GridWords("pair", "The document's bits", ones[1]))
        + '<p class="key"><span><i class="swatch same one"></i>1 in both</span>'
        '<span><i class="swatch same zero"></i>0 in both</span><span><i class="swatch differs one"></i>1 here, 0 '
        'there</span><span><i class="swatch differs zero"></i>0 here, 1 there</span></p>'
        f'<p class="result"><strong data-count="distance">{count:,}</strong> of {dim:,} bits differ: that is the '
        f"Hamming distance. As an angle: {180 * count / dim:.0f}°, so the cosine{less_mean} is about "
        f"{estimate:.3f}; "
        f"the exact one is {_exact(explanation):.3f}.</p>"
    )


def histogram_figure(explanation: Explanation) -> str:
    """Returns the histogram over all documents, and where the chosen one is."""
    distances, hit = explanation.distances, explanation.hit
    nearer = distances.nearer_than(hit.hamming_distance)
    place = "No document is nearer" if nearer == 0 else f"{counted(nearer, 'document is', 'documents are')} nearer"
    coins = math.sqrt(explanation.dim) / 2
    return (
        f'{distance_chart(distances, hit.hamming_distance)}<p class="result">{place} than this one, out of '
        f"<strong>{distances.num_documents:,}</strong>. Mean {distances.mean:.1f}, "
        f"deviation {distances.deviation:.1f}; coins would have {explanation.dim / 2:.0f} and {coins:.1f}.</p>"
    )


def candidates_figure(explanation: Explanation) -> str:
    """Returns the funnel of this query, and the rank of each hit after every stage."""
    return _funnel(explanation) + _moves(explanation)


def _funnel(explanation: Explanation) -> str:
    response, dim = explanation.response, explanation.dim
    code_bytes, num_texts = len(explanation.code), explanation.num_texts
    scan = response.settings.scan
    compared = "in the lists" if scan == "lists" else "compared by bits"
    steps = [
        ("binary", compared, num_texts, f"{data_size(num_texts * code_bytes)} of RAM", scan.replace("-", "_")),
        (
            "mixed",
            "nearest kept",
            response.num_candidates,
            f"{data_size(response.num_candidates * code_bytes)} of it",
            "asymmetric",
        ),
        (
            "int8",
            "int8 read",
            response.int8_rows_read,
            f"{data_size(response.int8_rows_read * dim)} from disk",
            "rescore",
        ),
        ("text", "shown", len(response.hits), "texts, from disk", "documents"),
    ]
    longest = math.log10(1 + num_texts)
    rows = "".join(
        f'<li><span class="what">{words}</span><span class="bar"><i class="{colour}" '
        f'style="width:{100 * math.log10(1 + count) / longest:.1f}%"></i></span><strong>{count:,}</strong>'
        f"<small>{size}{_time(response.latency.stages[stage])}</small></li>"
        for colour, words, count, size, stage in steps
    )
    return f'<ol class="steps-down" aria-label="How many are left after each stage">{rows}</ol>'


def _time(elapsed_ms: float) -> str:
    return f", {milliseconds(elapsed_ms)} ms" if elapsed_ms else ""


def _moves(explanation: Explanation) -> str:
    rank = explanation.hit.rank  # the chosen one, where it is not among the first
    moves = [move for move in explanation.moves if move.hit.rank <= _SHOWN_MOVES or move.hit.rank == rank]
    rescored = explanation.response.settings.rescore
    last = "int8" if rescored else "Shown"
    rows = "".join(_move(move, explanation.hit.row == move.hit.row) for move in moves)
    return wide_table(["Rank by bits", "Float &times; bits", last, "Document"], rows, "Ranks by stage", "moves")


def _move(move: Move, is_chosen: bool) -> str:
    hit = move.hit
    middle = hit.binary_rank if move.asymmetric_rank is None else move.asymmetric_rank
    shown = "off" if move.asymmetric_rank is None else f"{_arrow(hit.binary_rank, middle)}{middle:,}"
    current = ' class="current" aria-current="true"' if is_chosen else ""
    return (
        f"<tr{current}><td>{hit.binary_rank:,}</td><td>{shown}</td><td>{_arrow(middle, hit.rank)}{hit.rank:,}</td>"
        f'<td class="text" dir="auto">{escaped(one_line(hit.document.text, _TEXT_CHARS))}</td></tr>'
    )


def _arrow(before: int, after: int) -> str:
    kind, sign, words = (
        ("up", "↑", "up to") if after < before else ("down", "↓", "down to") if after > before else ("", "", "")
    )
    return f'<span class="{kind}" title="{words} {after:,}">{sign} </span>' if kind else ""


def _title(explanation: Explanation) -> str:
    hit = explanation.hit
    text = escaped(one_line(hit.document.text, _TEXT_CHARS))
    return f'<span class="number">{hit.rank}</span> <span dir="auto">{text}</span>'


def _exact(explanation: Explanation) -> float:
    exact = explanation.document.float32
    return explanation.document.score if exact is None else float(explanation.vector @ exact)
