"""Neighbours of some vectors, as a table of row numbers."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.evaluation.frontier.neighbours import OVERSAMPLING, Neighbours
from retrieval.ui.markup import wide_table


def neighbours_html(neighbours: Sequence[Neighbours]) -> str:
    """Returns the nearest rows of some vectors, side by side: those of the exact answer are marked in the others."""
    if not neighbours:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{each.row:,}</th><td>{_listed(each.exact, each.exact)}</td>'
        f"<td>{_listed(each.bits, each.exact)}</td><td>{_listed(each.rescored, each.exact)}</td></tr>"
        for each in neighbours
    )
    k = len(neighbours[0].exact)
    heads = ["Row", "Nearest, exactly", "By sign bits", f"The best {OVERSAMPLING * k} by sign bits, rescored"]
    return (
        f'<section class="frontier"><h3>Neighbours of some of your vectors</h3><p>Row numbers, counted from 0, '
        f"nearest first. Those among the exact {k} are bold.</p>"
        f"{wide_table(heads, rows, 'Neighbours of some vectors', 'neighbours')}</section>"
    )


def _listed(rows: Sequence[int], exact: Sequence[int]) -> str:
    return ", ".join(f"<strong>{row:,}</strong>" if row in exact else f"{row:,}" for row in rows)
