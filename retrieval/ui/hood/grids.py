"""One cell per dimension, always in the same order: the same place is the same dimension in every picture.

Cells of one look are one SVG path, so that a picture of hundreds of cells takes a few kilobytes. The script of the view
finds the cell under the pointer by the geometry in the `data-` attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.quantization import Bits, Float32s, Int8s
from retrieval.ui.markup import escaped

COLUMNS = 48
"""Six bytes per row: on a phone a cell is still six pixels wide."""
LEVELS = 6
"""Shades of a heat strip, for each sign."""
_PITCH, _SIZE, _BYTE_GAP = 10, 9, 4
_BRIGHTEST = 98.0
"""Percent of the numbers that have their own shade; the few larger ones share the strongest."""


@dataclass(frozen=True, slots=True)
class Look:
    """Cells that look alike."""

    css_class: str
    dimensions: npt.NDArray[np.int64]
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class GridWords:
    """What a picture says to screen readers, and which numbers the script reads out."""

    kind: str
    """`float32`, `bits`, `pair` or `int8`."""
    label: str
    summary: str


def heat_grid(values: Float32s, words: GridWords) -> str:
    """Returns a picture of numbers `(dim,)`: sign by colour, magnitude by shade."""
    sizes = np.abs(values)
    largest = max(float(np.percentile(sizes, _BRIGHTEST)), 1e-9)
    levels = np.clip(np.ceil(sizes / largest * LEVELS), 1, LEVELS)
    looks = [
        Look(name, np.flatnonzero(mask & (levels == level)), level / LEVELS)
        for name, mask in (("positive", values > 0), ("negative", values <= 0))
        for level in range(1, LEVELS + 1)
    ]
    return grid(len(values), looks, words)


def bit_grid(bits: Bits, words: GridWords) -> str:
    """Returns a picture of bits `(dim,)`."""
    return grid(len(bits), [Look("one", np.flatnonzero(bits)), Look("zero", np.flatnonzero(bits == 0))], words)


def difference_grid(bits: Bits, differs: npt.NDArray[np.bool_], words: GridWords) -> str:
    """Returns a picture of bits `(dim,)` in which those that differ from another's stand out."""
    looks = [
        Look("same one", np.flatnonzero((bits == 1) & ~differs)),
        Look("same zero", np.flatnonzero((bits == 0) & ~differs)),
        Look("differs one", np.flatnonzero((bits == 1) & differs)),
        Look("differs zero", np.flatnonzero((bits == 0) & differs)),
    ]
    return grid(len(bits), looks, words)


def code_grid(codes: Int8s, words: GridWords) -> str:
    """Returns a picture of int8 codes `(dim,)`: the higher the code, the stronger the shade."""
    levels = (codes.astype(np.int64) + 128) * LEVELS // 256
    looks = [Look("code", np.flatnonzero(levels == level), (level + 1) / LEVELS) for level in range(LEVELS)]
    return grid(len(codes), looks, words)


def grid(dim: int, looks: Sequence[Look], words: GridWords) -> str:
    """Returns the picture as a slider over the dimensions: arrow keys move along it, and the script reads it out."""
    columns = min(COLUMNS, -(-dim // 8) * 8)
    width = columns * _PITCH + (columns // 8 - 1) * _BYTE_GAP
    height = -(-dim // columns) * _PITCH
    paths = "".join(_path(look, columns) for look in looks if len(look.dimensions))
    label = escaped(f"{words.label}. {words.summary}")
    return (
        f'<div class="cells" role="slider" tabindex="0" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="{dim - 1}" aria-valuenow="0" aria-valuetext="dimension 0" data-kind="{escaped(words.kind)}" '
        f'data-columns="{columns}" data-pitch="{_PITCH}" data-gap="{_BYTE_GAP}" data-dim="{dim}">'
        f'<svg viewBox="-1 -1 {width + 1} {height + 1}" style="max-width:{width * 1.6:.0f}px" aria-hidden="true">'
        f'{paths}<rect class="cursor" width="{_SIZE + 1}" height="{_SIZE + 1}" x="-99" y="-99"/></svg></div>'
        f'<p class="readout" aria-hidden="true">{escaped(words.summary)}</p>'
    )


def _path(look: Look, columns: int) -> str:
    cells = "".join(f"M{x} {y}h{_SIZE}v{_SIZE}h-{_SIZE}z" for x, y in (_corner(i, columns) for i in look.dimensions))
    opacity = "" if look.opacity == 1.0 else f' fill-opacity="{look.opacity:.2f}"'
    return f'<path class="{look.css_class}"{opacity} d="{cells}"/>'


def _corner(dimension: int, columns: int) -> tuple[int, int]:
    row, column = divmod(int(dimension), columns)
    return column * _PITCH + column // 8 * _BYTE_GAP, row * _PITCH
