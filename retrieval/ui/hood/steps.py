"""The steps of the view, in order: the texts of the lesson with the pictures of a query."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from retrieval.bundle.manifest import Manifest
from retrieval.search.explanation.explain import Explanation
from retrieval.ui.hood.lesson import Section, code_html, lesson
from retrieval.ui.hood.query_figures import bits_figure, floats_figure, tokens_figure
from retrieval.ui.hood.scan_figures import lists_figure, table_figure
from retrieval.ui.hood.score_figures import int8_figure, score_figure
from retrieval.ui.hood.search_figures import candidates_figure, hamming_figure, histogram_figure
from retrieval.ui.hood.size_figures import sum_figure, why_figure
from retrieval.ui.hood.values import index_values, query_values
from retrieval.ui.markup import escaped

FIRST_OF_DOCUMENT = "hamming"
"""From this step on, one document is followed."""
_OF_INDEX: Mapping[str, Callable[[Manifest], str]] = {"why": why_figure, "scan": lists_figure, "sum": sum_figure}
_OF_QUERY: Mapping[str, Callable[[Explanation], str]] = {
    "tokens": tokens_figure,
    "floats": floats_figure,
    "bits": bits_figure,
    "hamming": hamming_figure,
    "histogram": histogram_figure,
    "candidates": candidates_figure,
    "scan": table_figure,
    "int8": int8_figure,
    "score": score_figure,
}


def query_steps(manifest: Manifest, index: str, explanation: Explanation | None, lead: str) -> str:
    """Returns the steps of the query alone; without an explanation, their texts.

    Args:
        manifest: that of the index.
        index: its name in the page.
        explanation: the query, followed through.
        lead: HTML that is placed above them.
    """
    sections, documents = _halves()
    values = _values(manifest, index, explanation)
    steps = _steps(sections, 0, manifest, explanation, values)
    data = "" if explanation is None else f" data-query='{_numbers(explanation.vector)}'"
    return f'<div class="hood" id="hood-query"{data}>{lead}{_contents([*sections, *documents])}{steps}</div>'


def document_steps(manifest: Manifest, index: str, explanation: Explanation | None) -> str:
    """Returns the steps that follow one document; without an explanation, their texts."""
    sections, documents = _halves()
    values = _values(manifest, index, explanation)
    steps = _steps(documents, len(sections), manifest, explanation, values)
    data = ""
    if explanation is not None:
        document = explanation.document
        data = (
            f' data-bits="{"".join(map(str, document.bits.tolist()))}" data-codes="{document.codes.tolist()}"'
            f' data-decoded="{_numbers(document.decoded)}"'
        )
    program = code_html(whole_program(values), "All steps as one program", "all steps")
    return f'<div class="hood" id="hood-document-steps"{data}>{steps}{program}</div>'


def whole_program(values: Mapping[str, str]) -> str:
    """Returns the code of all steps, with their titles as comments."""
    filled = [section.filled(values) for section in lesson()]
    return "\n".join(f"# {number}. {section.short_name}\n{section.code}" for number, section in enumerate(filled))


def _halves() -> tuple[list[Section], list[Section]]:
    sections = list(lesson())
    first = next(place for place, section in enumerate(sections) if section.key == FIRST_OF_DOCUMENT)
    return sections[:first], sections[first:]


def _values(manifest: Manifest, index: str, explanation: Explanation | None) -> dict[str, str]:
    return {**index_values(manifest, index), **({} if explanation is None else query_values(explanation))}


def _steps(
    sections: Sequence[Section],
    start: int,
    manifest: Manifest,
    explanation: Explanation | None,
    values: Mapping[str, str],
) -> str:
    return "".join(
        _step(number, section.filled(values), _figure(section.key, manifest, explanation))
        for number, section in enumerate(sections, start=start)
    )


def _figure(key: str, manifest: Manifest, explanation: Explanation | None) -> str:
    of_query = _OF_QUERY[key](explanation) if explanation is not None and key in _OF_QUERY else ""
    return of_query + (_OF_INDEX[key](manifest) if key in _OF_INDEX else "")


def _step(number: int, section: Section, figure: str) -> str:
    asides = "".join(f"<details><summary>{aside.title}</summary>{aside.html}</details>" for aside in section.asides)
    code = _code(section, number)
    drawn = f'<div class="figure">{figure}</div>' if figure else ""
    return (
        f'<section class="step" id="hood-{section.key}" aria-labelledby="hood-{section.key}-title">'
        f'<h2 id="hood-{section.key}-title"><span class="number" aria-hidden="true">{number}</span>{section.title}</h2>'
        f'<div class="words">{section.prose}</div>{drawn}<div class="more">{code}{asides}'
        f'<details class="source"><summary>Source</summary>{section.source}</details></div></section>'
    )


def _code(section: Section, number: int) -> str:
    """Returns the formulas above the code that computes them, which open on a click."""
    formulas = f'<div class="formulas">{section.formula}</div>'
    return code_html(section.code, "Formula and numpy", f"step {number}", formulas) if section.code else formulas


def _contents(sections: Sequence[Section]) -> str:
    items = "".join(
        f'<li><a href="#hood-{section.key}"><span>{number}</span> {escaped(section.short_name)}</a></li>'
        for number, section in enumerate(sections)
    )
    return f'<nav aria-label="Steps"><ol class="contents">{items}</ol></nav>'


def _numbers(values: np.typing.NDArray[np.float32]) -> str:
    """Returns numbers as JSON, with five decimals."""
    return json.dumps([round(float(value), 5) for value in values])
