"""Fewer dimensions: what the bits of this query lose when only the first ones are kept."""

from __future__ import annotations

from retrieval.evaluation.comparison.dimensions import DEPTHS, DroppedDimensions, KeptBits, kept_dimensions
from retrieval.quantization import num_code_bytes
from retrieval.ui.markup import escaped, one_line

_TEXT_CHARS = 90
HEAD = (
    '<div class="hood"><section class="step" id="hood-dimensions" aria-labelledby="hood-dimensions-title">'
    '<h2 id="hood-dimensions-title">Try it: keep fewer dimensions</h2><div class="words"><p>The bits can be made '
    "even shorter by keeping only the first dimensions. A model trained for this (Matryoshka) keeps most of "
    "its meaning there; others lose what you see. Choose a number: the page looks for the exact results of your query "
    "among the nearest by that many bits, in the whole index.</p></div></section></div>"
)


def dimension_choices(dim: int) -> list[tuple[str, int]]:
    """Returns the numbers of dimensions that can be kept, as labels and values."""
    return [(f"{count:,} of {dim:,}", count) for count in kept_dimensions(dim)]


def dropped_html(dropped: DroppedDimensions, dim: int) -> str:
    """Returns what all bits find, what those of the first `dim` dimensions find, and the rank of each result."""
    whole, chosen = dropped.kept[0], dropped.at(dim)
    columns = (whole,) if chosen is whole else (whole, chosen)
    return (
        f'<div class="hood"><div class="dropped" role="status">{_found(dropped, columns)}'
        f"{_ranks(dropped, columns)}</div></div>"
    )


def _found(dropped: DroppedDimensions, columns: tuple[KeptBits, ...]) -> str:
    wanted = len(dropped.rows)
    rows = "".join(
        f'<tr><th scope="row">among the {depth:,} nearest</th>'
        + "".join(f"<td><strong>{each.found(depth)}</strong> of {wanted}</td>" for each in columns)
        + "</tr>"
        for depth in DEPTHS
        if depth <= max(dropped.num_texts, DEPTHS[0])
    )
    head = _head(f"Found of {_exact(dropped)}", columns, has_bytes=True)
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _ranks(dropped: DroppedDimensions, columns: tuple[KeptBits, ...]) -> str:
    rows = "".join(
        f'<tr><td class="text" dir="auto">{number + 1}. {escaped(one_line(text, _TEXT_CHARS))}</td>'
        + "".join(f"<td>{each.ranks[number]:,}</td>" for each in columns)
        + "</tr>"
        for number, text in enumerate(dropped.texts)
    )
    return f'<table class="ranks"><thead>{_head("Rank by bits", columns)}</thead><tbody>{rows}</tbody></table>'


def _head(first: str, columns: tuple[KeptBits, ...], *, has_bytes: bool = False) -> str:
    sizes = [f"<br>{num_code_bytes(each.dim):,} bytes" if has_bytes else "" for each in columns]
    cells = "".join(f'<th scope="col">{each.dim:,} bits{size}</th>' for each, size in zip(columns, sizes, strict=True))
    return f'<tr><th scope="col">{first}</th>{cells}</tr>'


def _exact(dropped: DroppedDimensions) -> str:
    name = "float32's results" if dropped.reference_key == "float32" else "the results of int8 over all vectors"
    return escaped(name)
