"""Formulas from a plain notation: `x_i` has an index, `2^d` a power, single letters are variables."""

from __future__ import annotations

import re

from retrieval.ui.markup import escaped

_SHIFTED = re.compile(r"([_^])(\w)")
_VARIABLE = re.compile(r"(?<![\w&])([A-Za-z])(?![A-Za-z;])")
_TAGS = {"_": "sub", "^": "sup"}


def formula(text: str) -> str:
    """Returns formulas, one a line, as HTML."""
    return "".join(f'<p class="formula">{_line(line)}</p>' for line in text.strip().splitlines())


def _line(line: str) -> str:
    # Variables first: the tags that follow have letters of their own.
    parts = _SHIFTED.split(line)
    html = _with_variables(parts[0])
    for kind, shifted, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        html += f"<{_TAGS[kind]}>{_with_variables(shifted)}</{_TAGS[kind]}>{_with_variables(rest)}"
    return html


def _with_variables(text: str) -> str:
    return _VARIABLE.sub(r"<var>\1</var>", escaped(text))
