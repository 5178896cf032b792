"""The view "Under the hood": its pictures show the numbers they are given, and untrusted text is escaped."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from retrieval import Searcher
from retrieval.results import SearchSettings
from retrieval.search.explanation.explain import Explanation, QueryTokens, explain
from retrieval.search.explanation.stages import DistanceCounts
from retrieval.ui.hood.distance_chart import coin_tosses, distance_chart
from retrieval.ui.hood.grids import GridWords, bit_grid, code_grid, difference_grid, heat_grid
from retrieval.ui.hood.lesson import formula, lesson, read_lesson
from retrieval.ui.hood.query_figures import bits_figure, floats_figure, tokens_figure
from retrieval.ui.hood.score_figures import int8_figure, score_figure
from retrieval.ui.hood.search_figures import candidates_figure, hamming_figure
from retrieval.ui.hood.size_figures import sum_figure, why_figure
from retrieval.ui.hood.steps import document_steps, query_steps
from retrieval.ui.hood.values import index_values, query_values
from retrieval.ui.markup import signed, whole
from tests.benchmark_json import TUNED
from tests.conftest import Build, FakeEncoder, random_texts

HOSTILE = "<img src=x onerror=alert(1)> {{n}} ${1}"
WORDS = GridWords("bits", "Bits", "Some bits.")


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build([*random_texts(60), HOSTILE]).path, encoder=encoder)


@pytest.fixture
def found(searcher: Searcher) -> Explanation:
    return explain(searcher, "sort list file", searcher.defaults)


def cells(html: str, css_class: str = "") -> int:
    paths = re.findall(r'<path class="([^"]*)"[^>]* d="([^"]*)"', html)
    return sum(d.count("M") for name, d in paths if css_class in ("", name))


@pytest.mark.parametrize("dim", [1, 8, 20, 48, 64, 384, 1024])
def test_every_picture_has_a_cell_for_each_dimension(dim: int) -> None:
    values = np.random.default_rng(0).standard_normal(dim).astype(np.float32)
    bits = (values > 0).astype(np.uint8)
    codes = np.clip(values * 60, -128, 127).astype(np.int8)
    pictures = [heat_grid(values, WORDS), bit_grid(bits, WORDS), difference_grid(bits, values > 1, WORDS)]
    assert [cells(picture) for picture in [*pictures, code_grid(codes, WORDS)]] == [dim] * 4
    assert f'aria-valuemax="{dim - 1}"' in pictures[0]


def test_a_heat_strip_tells_the_signs_apart() -> None:
    html = heat_grid(np.array([0.5, -0.5, 0.1, 0.0], np.float32), WORDS)
    assert (cells(html, "positive"), cells(html, "negative")) == (2, 2)


def test_the_bits_that_differ_are_marked_and_counted(found: Explanation) -> None:
    html = hamming_figure(found)
    marked = cells(html, "differs one") + cells(html, "differs zero")
    assert marked == 2 * found.hit.hamming_distance
    assert f'data-count="distance">{found.hit.hamming_distance}</strong>' in html


def test_cells_stand_in_the_order_of_the_dimensions_with_a_gap_after_a_byte() -> None:
    bits = np.zeros(60, np.uint8)
    bits[[0, 8, 48]] = 1
    [path] = re.findall(r'<path class="one" d="([^"]*)"', bit_grid(bits, WORDS))
    assert re.findall(r"M(\d+) (\d+)", path) == [("0", "0"), ("84", "0"), ("0", "10")]


def test_the_first_bytes_are_those_that_packbits_gives(found: Explanation) -> None:
    html = bits_figure(found)
    for byte in found.code[:4].tolist():
        assert f"<code>{byte:08b}</code>" in html
        assert f"<td>{byte}</td><td>{whole(byte - 128)}</td>" in html


def test_a_chart_has_a_bar_for_each_distance_that_occurs() -> None:
    counts = np.zeros(65, np.int64)
    counts[[10, 20, 30, 40]] = (1, 5, 100, 7)
    html = distance_chart(DistanceCounts(counts, cutoff=20, num_candidates=6), chosen=10)
    assert (cells(html, "near"), cells(html, "far")) == (2, 2)
    assert "this document: 10" in html
    assert "last candidate: 20" in html


def test_a_chart_of_one_document_can_be_drawn() -> None:
    counts = np.zeros(9, np.int64)
    counts[0] = 1
    assert cells(distance_chart(DistanceCounts(counts, 0, 1), chosen=0), "near") == 1


def test_coin_tosses_are_binomial() -> None:
    assert coin_tosses(4, 16, 2) == pytest.approx(6)
    assert sum(coin_tosses(384, 1000, distance) for distance in range(385)) == pytest.approx(1000)


def test_tokens_that_were_cut_are_marked(found: Explanation) -> None:
    html = tokens_figure(replace(found, tokens=QueryTokens(("[CLS]", "red", "[SEP]"), ("apple", "<b>"))))
    assert html.count('class="special"') == 2
    assert html.count('class="cut"') == 2
    assert "&lt;b&gt;" in html
    assert "2 more were cut" in html


def test_the_view_says_when_the_encoder_shows_no_tokens(found: Explanation) -> None:
    assert "does not show" in tokens_figure(replace(found, tokens=None))


def test_the_floats_are_summed_up_in_words(found: Explanation) -> None:
    assert f"{int((found.vector > 0).sum())} above 0" in floats_figure(found)


def test_the_codes_and_their_errors_are_shown(found: Explanation) -> None:
    html = int8_figure(found)
    first = int(found.document.largest_terms(1)[0])
    assert f'<td class="code-value">{whole(int(found.document.codes[first]))}</td>' in html
    assert found.document.errors is not None
    assert f"<strong>{found.document.errors.max():.5f}</strong>" in html


def test_without_the_baseline_the_view_says_what_is_missing(found: Explanation) -> None:
    html = int8_figure(replace(found, document=replace(found.document, float32=None)))
    assert "--no-baseline" in html
    assert "Error" not in html


def test_the_sum_is_the_score_of_the_search(found: Explanation) -> None:
    html = score_figure(found)
    assert f'data-count="score">{found.hit.score:.5f}</strong>' in html
    assert f"Search shows {found.hit.score:.3f}" in html


def test_an_estimated_score_is_marked(searcher: Searcher) -> None:
    settings = replace(searcher.defaults, rescore=False)
    assert "Rescoring is off" in score_figure(explain(searcher, "sort list", settings))


def test_the_chosen_document_is_marked_among_the_moves(found: Explanation) -> None:
    assert candidates_figure(found).count('aria-current="true"') == 1


def test_untrusted_text_is_escaped_and_its_placeholders_are_left_alone(searcher: Searcher) -> None:
    found = explain(searcher, HOSTILE, SearchSettings())
    assert found.hit.document.text == HOSTILE
    html = query_steps(searcher.manifest, "<i>", found, "") + document_steps(searcher.manifest, "<i>", found)
    assert "<img" not in html
    assert "<i>" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; {{n}} ${1}" in html


def test_every_name_in_the_texts_is_known(searcher: Searcher, found: Explanation) -> None:
    known = {**index_values(searcher.manifest, "x"), **query_values(found)}
    for section in lesson():
        parts = (section.title, section.prose, section.formula, section.code, section.source)
        for text in (*parts, *(aside.html for aside in section.asides)):
            assert set(re.findall(r"\{\{(\w+)\}\}", text)) <= known.keys(), section.key


def test_every_step_has_words_a_formula_code_and_a_source() -> None:
    assert [section.key for section in lesson()] == [
        "why", "tokens", "floats", "bits", "hamming", "histogram", "candidates", "scan", "int8", "score", "sum",
    ]  # fmt: skip
    for section in lesson():
        assert section.prose, section.key
        assert section.formula, section.key
        assert section.code, section.key
        assert section.source, section.key


def test_a_text_with_html_or_a_script_link_is_harmless() -> None:
    [section] = read_lesson("## a: A: T\n\n<b>x</b> [y](javascript:alert(1)) [z](https://host/?a=1&b=2)\n")
    assert "<b>" not in section.prose
    assert 'href="javascript' not in section.prose
    assert '<a href="https://host/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">z</a>' in section.prose


def test_a_formula_has_indices_powers_and_variables() -> None:
    assert formula("b_i = 2^d if x < 1") == (
        '<p class="formula"><var>b</var><sub><var>i</var></sub> = 2<sup><var>d</var></sup> if <var>x</var> &lt; 1</p>'
    )


def test_recall_is_shown_where_it_was_measured(searcher: Searcher) -> None:
    usual = {"num_candidates": 1000, "rescore_multiplier": 20, "source": "default"}
    assert "recall@10 here" not in sum_figure(replace(searcher.manifest, search=usual))
    html = sum_figure(replace(searcher.manifest, search=TUNED))
    for found in TUNED["recall"].values():
        assert f"<strong>{found:.3f}</strong>" in html


def test_a_quarter_billion_documents_have_their_price_at_each_precision(searcher: Searcher) -> None:
    html = why_figure(searcher.manifest)
    for price in ("$226", "$113", "$56.62", "$7.07"):
        assert f"<strong>{price}</strong>" in html


def test_the_last_table_has_one_row_per_way_with_its_bytes(searcher: Searcher) -> None:
    html = sum_figure(searcher.manifest)
    assert html.count("<tr>") == html.count("</tr>") == 6
    sizes = re.findall(r"</th><td>([^<]*)</td>", html)
    assert sizes == ["256 B", "64 B", "8 B", "8 B", "8 B + 64 on disk"]


def test_all_steps_are_shown_without_a_query(searcher: Searcher) -> None:
    html = query_steps(searcher.manifest, "x", None, "") + document_steps(searcher.manifest, "x", None)
    assert html.count('<section class="step"') == 11
    assert "{{" not in html


def test_negative_numbers_have_a_minus_sign_not_a_hyphen() -> None:
    assert (signed(-0.5, 2), signed(0.25, 2), whole(-3)) == ("\N{MINUS SIGN}0.50", "+0.25", "\N{MINUS SIGN}3")
