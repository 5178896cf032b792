"""The pictures of the steps that the query takes alone: tokens, floats, bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.errors import counted
from retrieval.search.explanation.explain import Explanation, QueryTokens
from retrieval.ui.hood.grids import GridWords, bit_grid, heat_grid
from retrieval.ui.markup import escaped, folded, signed, whole, wide_table

_FIRST_TOKENS, _LAST_TOKENS, _MOST_CUT = 64, 6, 24
_SHOWN_BYTES = 4
_SHOWN_FLOATS = 8
_CENTERED = (
    '<p class="aside">In this index, the mean of all documents is subtracted before the sign is taken: it is '
    '<code>manifest["bits"]["center"]</code>, and a bit is 1 where the query is above it.</p>'
)


def tokens_figure(explanation: Explanation) -> str:
    """Returns the query as the model's tokens; those that were cut off are struck out."""
    tokens = explanation.tokens
    if tokens is None:
        return '<p class="aside">The encoder of this index does not show its tokens.</p>'
    read = _read_tokens(tokens.read)
    cut = "".join(_token(token, "cut") for token in tokens.cut[:_MOST_CUT])
    return (
        f'<p class="asked" dir="auto">{escaped(explanation.text[:400])}</p>'
        f'<ol class="token-list" aria-label="Tokens">{read}{cut}</ol><p class="readout">{_token_words(tokens)}</p>'
    )


def floats_figure(explanation: Explanation) -> str:
    """Returns the embedding of the query as a heat strip."""
    vector = explanation.vector
    largest = int(np.argmax(np.abs(vector)))
    summary = (
        f"{explanation.dim:,} numbers: {int(np.sum(vector > 0)):,} above 0, {int(np.sum(vector <= 0)):,} not. "
        f"Dimension {largest} is the largest, {signed(float(vector[largest]), 4)}."
    )
    key = (
        '<p class="key"><span><i class="swatch negative"></i>below 0</span>'
        '<span><i class="swatch positive"></i>above 0</span>'
        "<span>the stronger the colour, the larger the number</span></p>"
    )
    first = ", ".join(signed(float(value), 4) for value in vector[:_SHOWN_FLOATS])
    more = ", …" if explanation.dim > _SHOWN_FLOATS else ""
    numbers = f'<p class="numbers"><code>[{first}{more}]</code></p>'
    return heat_grid(vector, GridWords("float32", "The query as float32", summary)) + key + numbers


def bits_figure(explanation: Explanation) -> str:
    """Returns the query's sign bits as a grid, and its first bytes in full."""
    ones = int(explanation.bits.sum())
    size = f"{4 * explanation.dim:,} bytes became {len(explanation.code):,}"
    summary = f"{counted(ones, 'one')}, {counted(explanation.dim - ones, 'zero')}: {size}."
    centered = _CENTERED if explanation.is_centered else ""
    return (
        centered
        + bit_grid(explanation.bits, GridWords("bits", "The query's sign bits", summary))
        + '<p class="key"><span><i class="swatch one"></i>1</span><span><i class="swatch zero"></i>0</span>'
        "<span>a gap after every byte</span></p>" + _bytes_table(explanation)
    )


def _bytes_table(explanation: Explanation) -> str:
    rows = []
    for number, byte in enumerate(explanation.code[:_SHOWN_BYTES].tolist()):
        first = 8 * number
        last = min(first + 7, explanation.dim - 1)
        signs = "".join("+" if bit else "&minus;" for bit in explanation.bits[first : last + 1])
        padding = "<small> padded</small>" if last - first < 7 else ""
        rows.append(
            f'<tr><th scope="row">{first}&ndash;{last}</th><td><code>{signs}</code></td>'
            f"<td><code>{byte:08b}</code>{padding}</td><td><code>{byte:02x}</code></td><td>{byte}</td>"
            f"<td>{whole(byte - 128)}</td></tr>"
        )
    names = ["Dimensions", "Signs", "Bits", "Hex", "ubinary", "binary"]
    return folded("The first bytes", wide_table(names, "".join(rows), "The first bytes"))


def _read_tokens(tokens: Sequence[str]) -> str:
    """Returns the tokens that the model reads; of very many, the first and the last."""
    items = [_token(token, "special" if _is_special(token) else "") for token in tokens]
    num_left_out = len(items) - _FIRST_TOKENS - _LAST_TOKENS
    if num_left_out > 1:
        left_out = f'<li class="left-out">… {num_left_out:,} more, also read …</li>'
        items[_FIRST_TOKENS:-_LAST_TOKENS] = [left_out]
    return "".join(items)


def _token(token: str, kind: str) -> str:
    named = f' class="{kind}"' if kind else ""
    hint = ' title="cut: not read"' if kind == "cut" else ""
    return f'<li{named}{hint} dir="auto">{escaped(token)}</li>'


def _is_special(token: str) -> bool:
    return (token.startswith("[") and token.endswith("]")) or (token.startswith("<") and token.endswith(">"))


def _token_words(tokens: QueryTokens) -> str:
    words = f"{counted(len(tokens.read), 'token')} read"
    if tokens.cut:
        words += f"; {counted(len(tokens.cut), 'more was', 'more were')} cut: the model never saw them"
        if len(tokens.cut) > _MOST_CUT:
            words += f" ({_MOST_CUT:,} shown)"
    return f"{words}."
