"""The pictures of the last steps: int8 codes, the score term by term."""

from __future__ import annotations

import numpy as np

from retrieval.search.explanation.explain import Explanation
from retrieval.ui.hood.grids import GridWords, code_grid
from retrieval.ui.markup import escaped, folded, signed, whole, wide_table

_SHOWN_TERMS = 6


def int8_figure(explanation: Explanation) -> str:
    """Returns the document's codes: one dimension on a ruler, the largest terms in a table, all as a strip."""
    codes = explanation.document.codes
    summary = f"{len(codes):,} codes from {whole(int(codes.min()))} to {whole(int(codes.max()))}: {len(codes):,} bytes."
    return (
        _ruler(explanation)
        + code_grid(codes, GridWords("int8", "The document's int8 codes", summary))
        + '<p class="key"><span><i class="swatch code low"></i>low code</span>'
        '<span><i class="swatch code"></i>high code</span></p>'
        + _code_table(explanation)
        + f'<p class="result">{_error_words(explanation)}</p>'
    )


def score_figure(explanation: Explanation) -> str:
    """Returns the dot product term by term, its folded form, and what raw codes would have given."""
    return _terms(explanation) + folded(
        "Folded into the query, and with raw codes", _folded(explanation) + _raw(explanation)
    )


def _ruler(explanation: Explanation) -> str:
    document, quantizer = explanation.document, explanation.quantizer
    dimension = int(document.largest_terms(1)[0])
    low, step = float(quantizer.minimum[dimension]), float(quantizer.step[dimension])
    code = int(document.codes[dimension])
    ends = signed(low, 4), signed(low + 255 * step, 4)
    value = signed(float(document.decoded[dimension]), 5)
    place = 100 * (code + 128) / 255
    side = "left" if place > 60 else "right"
    ticks = "".join(f'<i style="left:{100 * tick / 16:.2f}%"></i>' for tick in range(17))
    return (
        f"<h3>Dimension {dimension} on a ruler</h3>"
        f'<div class="ruler" role="img" aria-label="Dimension {dimension} goes from {ends[0]} to {ends[1]}; '
        f'code {whole(code)} stands for {value}"><div class="line">{ticks}'
        f'<span class="mark {side}" style="left:{place:.2f}%"><span>code {whole(code)}: {value}</span>'
        f'</span></div><div class="ends" aria-hidden="true"><span>&minus;128: {ends[0]}</span>'
        f"<span>one step: {step:.5f}</span><span>127: {ends[1]}</span></div></div>"
        f"{_enlarged(explanation, dimension)}"
    )


def _enlarged(explanation: Explanation, dimension: int) -> str:
    """Returns the five steps around a code, with the number that was rounded; empty if it is unknown."""
    document, quantizer = explanation.document, explanation.quantizer
    if document.float32 is None:
        return ""
    code = int(document.codes[dimension])
    step, low = float(quantizer.step[dimension]), float(quantizer.minimum[dimension])
    exact = float(document.float32[dimension])
    place = 20 * ((exact - low) / step - 128 - code + 2.5)
    side = "left" if place > 50 else "right"
    ticks = "".join(
        f'<span class="tick" style="left:{20 * (near - code + 2.5):.2f}%">{whole(near)}</span>'
        for near in range(code - 2, code + 3)
        if -128 <= near <= 127
    )
    label = f"The number {signed(exact, 5)} is rounded to code {whole(code)}"
    return (
        f'<div class="ruler close" role="img" aria-label="{label}"><div class="line">{ticks}'
        f'<span class="mark {side}" style="left:{place:.2f}%"><span>float32: {signed(exact, 5)}</span></span></div>'
        '<p class="readout">Five steps, enlarged: the number is rounded to the nearest.</p></div>'
    )


def _product(one: np.float32, other: np.float32) -> str:
    return f"{signed(float(one), 4)} &times; {signed(float(other), 4)}"


def _code_table(explanation: Explanation) -> str:
    document, quantizer = explanation.document, explanation.quantizer
    has_baseline = document.float32 is not None
    rows = []
    for i in document.largest_terms(_SHOWN_TERMS).tolist():
        low, step = float(quantizer.minimum[i]), float(quantizer.step[i])
        exact = "" if document.float32 is None else f"<td>{signed(float(document.float32[i]), 5)}</td>"
        error = "" if document.errors is None else f"<td>{document.errors[i]:.5f}</td>"
        rows.append(
            f'<tr><th scope="row">{i}</th><td>{signed(low, 4)}</td><td>{signed(low + 255 * step, 4)}</td>'
            f'<td>{step:.5f}</td>{exact}<td class="code-value">{whole(int(document.codes[i]))}</td>'
            f"<td>{signed(float(document.decoded[i]), 5)}</td>{error}"
            f"<td>{whole(int(document.batch_codes[i]))}</td></tr>"
        )
    names = ["Dimension", "Lowest", "Highest", "Step", *(["float32"] if has_baseline else []), "Code", "Stands for"]
    names += [*(["Error"] if has_baseline else []), "Code, if fitted on 10 results"]
    table = wide_table(names, "".join(rows), "int8 codes of the largest terms")
    return folded("The dimensions that count most for this score", table)


def _error_words(explanation: Explanation) -> str:
    document = explanation.document
    errors = document.errors
    half = float(np.median(explanation.quantizer.step)) / 2
    if document.float32 is None or errors is None:
        return (
            f"Half a step is {half:.5f} in the median dimension. This index was built without float32 vectors "
            "(--no-baseline), so the rounding error of this document cannot be shown."
        )
    exact = float(explanation.vector @ document.float32)
    return (
        f"Rounding error over all {explanation.dim:,} dimensions: <strong>{errors.max():.5f}</strong> at most, "
        f"{errors.mean():.5f} on average. In the score, most of that cancels out: "
        f"{document.score:.5f} with int8, {exact:.5f} with float32."
    )


def _terms(explanation: Explanation) -> str:
    document = explanation.document
    chosen = document.largest_terms(_SHOWN_TERMS)
    longest = float(np.abs(document.terms[chosen]).max()) or 1.0
    rows = "".join(
        _term(str(i), float(document.terms[i]), longest, _product(explanation.vector[i], document.decoded[i]))
        for i in chosen.tolist()
    )
    rest = float(document.terms.sum() - document.terms[chosen].sum())
    others = explanation.dim - len(chosen)
    rest_row = (
        f'<li><span class="what">other</span><span class="how">{others:,} together</span><span class="bar"></span>'
        f"<strong>{signed(rest, 4)}</strong></li>"
    )
    return (
        f'<ol class="terms" aria-label="The terms of the dot product">{rows}{rest_row if others else ""}</ol>'
        f'<p class="result total"><span>Sum of all {explanation.dim:,}</span> <strong data-count="score">'
        f"{document.score:.5f}</strong> <small>{_as_shown(explanation)}</small></p>"
    )


def _as_shown(explanation: Explanation) -> str:
    hit = explanation.hit
    if hit.is_estimate:
        return escaped(f"Rescoring is off: Search shows the estimate {hit.score:.3f}, made from the bits.")
    return f"Search shows {hit.score:.3f}"


def _term(name: str, value: float, longest: float, how: str) -> str:
    kind = "positive" if value > 0 else "negative"
    width = 50 * min(1.0, abs(value) / longest)
    left = 50.0 if value > 0 else 50.0 - width
    return (
        f'<li><span class="what">{name}</span><span class="how">{how}</span><span class="bar">'
        f'<i class="{kind}" style="left:{left:.1f}%;width:{width:.1f}%"></i></span>'
        f"<strong>{signed(value, 4)}</strong></li>"
    )


def _folded(explanation: Explanation) -> str:
    document = explanation.document
    return (
        '<p class="result"><span>Folded:</span> scaled · codes '
        f"<strong>{signed(document.scaled_dot, 5)}</strong>, constant <strong>{signed(document.constant, 5)}</strong>, "
        f"together <strong>{document.scaled_dot + document.constant:.5f}</strong>: the same number.</p>"
    )


def _raw(explanation: Explanation) -> str:
    raw = explanation.document.raw
    moved = f"{raw.num_moved:,}" if raw.num_moved else "none"
    where = "here too" if raw.rank == raw.dequantized_rank else f"where it is number {raw.dequantized_rank:,}"
    return (
        f'<p class="result">Raw codes: query · codes = <strong>{signed(raw.score, 1)}</strong>, which is not a cosine. '
        f"By raw codes this document would be number <strong>{raw.rank:,}</strong> of {raw.num_compared:,} candidates, "
        f"{where}; {moved} of the first {raw.num_first:,} would have another rank.</p>"
    )
