"""The comparison as HTML: every text escaped, every way told with what it lost, the same text under one `data-row`."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from retrieval import Searcher, SearchSettings
from retrieval.evaluation.comparison.compare import compare
from retrieval.evaluation.comparison.compared import ComparedHit, Comparison, LostText, Method
from retrieval.ui.compare.columns import MAX_TITLE_CHARS, columns
from retrieval.ui.compare.summary import figures, verdict
from retrieval.ui.compare.view import board, explanation
from tests.conftest import Build, FakeEncoder, random_texts
from tests.support import HOSTILE, Reader


def method(key: str, hits: tuple[ComparedHit, ...], **changes: object) -> Method:
    made = Method(key, key, f"about {key}", "cosine", hits, (), 10.0, 3, 48, 4_800, 0, 0)
    return replace(made, **changes)  # type: ignore[arg-type]


def hit(rank: int, row: int, text: str = "a text", *, kept: bool = True, there: int | None = None) -> ComparedHit:
    return ComparedHit(rank, row, text, "https://host/1", 0.5, kept, there or rank)


def comparison(text: str = "a text", **changes: object) -> Comparison:
    methods = (
        method("float32", (hit(1, 7, text), hit(2, 8)), vector_bytes=1536, ram_bytes=153_600, time_ms=40.0, num_runs=1),
        method("int8", (hit(1, 7, text), hit(2, 8)), ram_bytes=38_400),
        method("bits", (hit(1, 8, there=2), hit(2, 9, kept=False, there=1_234)), score_kind="bits differ",
               lost=(LostText(1, 7, text, None),)),
        method("published", (hit(1, 7, text), hit(2, 8)), score_kind="raw dot", disk_bytes=38_400,
               disk_read_bytes=3_840),
        method("ours", (hit(1, 7, text), hit(2, 8)), time_ms=2.0, disk_bytes=38_400),
    )  # fmt: skip
    made = Comparison("q", methods, "float32", SearchSettings(), 100, 384, 3.0, 60.0, 300_000_000)
    return replace(made, **changes)  # type: ignore[arg-type]


def without_float32() -> Comparison:
    made = comparison()
    missing = replace(made["float32"], hits=(), time_ms=None, num_runs=0, missing="Built without <embeddings>.")
    return replace(made, methods=(missing, *made.methods[1:]), reference_key="int8")


@pytest.mark.parametrize("text", HOSTILE)
def test_strangers_text_is_shown_and_brings_no_tag(text: str) -> None:
    seen = Reader(board(comparison(text)))
    assert text in seen.text
    assert not set(seen.tags) & {"script", "img", "svg", "style"}


def test_one_text_has_one_row_in_every_column_and_among_what_is_lost() -> None:
    assert len(re.findall(r'data-row="7"', columns(comparison()))) == 5
    assert len(re.findall(r'data-row="9"', columns(comparison()))) == 1


def test_what_is_lost_is_told_with_its_rank() -> None:
    text = Reader(columns(comparison())).text
    assert "Lost, with the rank in float32#1a text" in text
    assert text.count("Nothing lost.") == 3


def test_what_float32_does_not_have_is_marked_with_the_rank_it_has_there() -> None:
    html = columns(comparison())
    assert html.count('class="pick stray"') == 1
    assert "float32 #1,234, not among its results" in Reader(html).text


def test_the_heads_have_overlap_time_and_bytes() -> None:
    text = Reader(columns(comparison())).text
    for part in ("1 of 2", "2 of 2", "40.0 ms", "20x faster", "154 kB", "+ 3.8 kB from disk"):
        assert part in text


def test_the_table_has_a_row_a_way_with_its_share_of_float32() -> None:
    html = figures(comparison())
    assert html.count("<tr") == 6
    text = Reader(html).text
    for part in ("100 %", "25 %", "3 %", "1,536", "median of 1 to 3 runs", "300 MB"):
        assert part in text


def test_the_sentence_is_on_top() -> None:
    assert Reader(board(comparison())).text.startswith(
        "Comparison2 of 2 of the float32 results, 20x faster, from 3 % of the memory."
    )


def test_notes_are_shown_escaped() -> None:
    assert "<b>" not in verdict(comparison(notes=("cut <b>",)))
    assert "cut <b>" in Reader(verdict(comparison(notes=("cut <b>",)))).text


def test_without_float32_the_page_says_what_is_missing_and_counts_with_int8() -> None:
    text = Reader(board(without_float32())).text
    assert "Built without <embeddings>. Until then, overlap is counted with int8" in text
    assert "cannot be shown" in text
    assert "Lost, with the rank in the int8 scan" in text


def test_only_web_addresses_become_links() -> None:
    made = comparison()
    safe = columns(made)
    hostile = replace(made["ours"], hits=(replace(hit(1, 7), url="javascript:alert(1)"),))
    assert safe.count('href="https://host/1"') == 10
    assert "javascript" not in columns(replace(made, methods=(*made.methods[:-1], hostile)))


def test_a_long_text_is_cut() -> None:
    text = Reader(columns(comparison("word " * 1000))).text
    assert text.count("word ") == 5 * MAX_TITLE_CHARS // len("word ")


class Balance(HTMLParser):
    """Fails where an element is closed that is not open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_is_balanced() -> None:
    for made in (comparison(), without_float32()):
        Balance(board(made))


@pytest.mark.parametrize("baseline", [True, False])
def test_a_real_comparison_is_shown_whole(build: Build, encoder: FakeEncoder, baseline: bool) -> None:
    searcher = Searcher.open(build(random_texts(40), baseline=baseline).path, encoder=encoder, verify="never")
    html = board(compare(searcher, "sort a list", searcher.defaults))
    Balance(html)
    assert html.count('data-rank="1"') == (5 if baseline else 4)
    assert ("without its float32 vectors" in explanation(searcher)) is not baseline
