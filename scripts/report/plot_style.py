"""How plots look: SVG files that are the same, byte for byte, for the same figures.

On a white card, so that they read on light and dark pages. float32, int8 and binary keep their colours everywhere.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

COLOURS = {"float32": "#3b6fd4", "int8": "#b8690b", "binary": "#0f766e", "others": "#6b7280"}
_INK, _GRID = "#1f2937", "#e5e7eb"
_STYLE = {
    "svg.hashsalt": "embedding-quantization",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.handlelength": 3.0,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
}
_LONG_AXIS = 100
"""An axis on which the last number is so many times the first shows powers of ten only."""


def as_svg(draw: Callable[[Figure], None], title: str, width: float) -> bytes:
    """Returns what `draw` puts on a figure, so many inches wide."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(max(width, 4.6), 3.6), layout="constrained", facecolor="#ffffff")
        draw(figure)
        target = io.BytesIO()
        # No date: the same figures give the same bytes.
        figure.savefig(target, format="svg", metadata={"Date": None, "Title": title})
    return target.getvalue()


def short_number(number: float) -> str:
    """Returns 10k, 594k or 2M."""
    return f"{number / 1e6:.3g}M" if number >= 1e6 else f"{number / 1e3:.3g}k"


def plain_numbers(axis: Any) -> None:
    """Writes 0.1 and 100 where matplotlib would write powers of ten, and more of them on an axis that is short."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > _LONG_AXIS * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())


def panels(figure: Figure, count: int, *, shared: bool = True) -> list[Any]:
    """Returns so many axes side by side; `shared` ones have one vertical scale."""
    return list(figure.subplots(1, count, sharey=shared, squeeze=False)[0])
