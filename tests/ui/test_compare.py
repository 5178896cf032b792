"""The comparison as HTML: every text escaped, every way with what it lost, the same text under one `data-row`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from retrieval import Searcher, SearchSettings
from retrieval.evaluation.comparison.answers import ComparedHit, Comparison, LostText, WayAnswer
from retrieval.evaluation.comparison.averages import Average
from retrieval.evaluation.comparison.compare import compare, ways_compared
from retrieval.evaluation.comparison.curve import CandidateCurve
from retrieval.ui.compare.candidates import candidates_section
from retrieval.ui.compare.columns import MAX_TITLE_CHARS, columns
from retrieval.ui.compare.view import board, explanation, figures, verdict
from retrieval.ui.compare.words import WAY_WORDS, compare_values, sentence, short_percent, speed_words
from tests.conftest import Build, FakeEncoder, random_texts
from tests.support import HOSTILE, Reader

WAYS = {way.key: way for way in ways_compared(SearchSettings())}


def answer(key: str, hits: tuple[ComparedHit, ...], **changes: Any) -> WayAnswer:
    made = WayAnswer(WAYS[key], hits, (), 10.0, 3, WAYS[key].work(100, 10), 48, 4_800, 0, 0)
    return replace(made, **changes)


def hit(rank: int, row: int, text: str = "a text", *, kept: bool = True, there: int | None = None) -> ComparedHit:
    return ComparedHit(rank, row, text, "https://host/1", 0.5, kept, there or rank)


def comparison(text: str = "a text", **changes: Any) -> Comparison:
    answers = (
        answer("float32", (hit(1, 7, text), hit(2, 8)), vector_bytes=1536, ram_bytes=153_600, time_ms=40.0, num_runs=1),
        answer("int8", (hit(1, 7, text), hit(2, 8)), ram_bytes=38_400),
        answer("bits", (hit(1, 8, there=2), hit(2, 9, kept=False, there=1_234)), lost=(LostText(1, 7, text, None),)),
        answer("published", (hit(1, 7, text), hit(2, 8)), disk_bytes=38_400, disk_read_bytes=3_840),
        answer("float_scan", (hit(1, 7, text), hit(2, 8)), disk_bytes=38_400),
        answer("ours", (hit(1, 7, text), hit(2, 8)), time_ms=2.0, disk_bytes=38_400),
    )
    made = Comparison("q", answers, "float32", SearchSettings(), 100, 384, 3.0, 60.0, 300_000_000)
    return replace(made, **changes)


def without_float32() -> Comparison:
    made = comparison()
    missing = replace(made["float32"], hits=(), time_ms=None, num_runs=0)
    return replace(made, answers=(missing, *made.answers[1:]), reference_key="int8")


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_is_escaped(text: str) -> None:
    seen = Reader(board(comparison(text)))
    assert text in seen.text
    assert not set(seen.tags) & {"script", "img", "svg", "style"}


def test_a_text_has_the_same_data_row_in_every_column_and_list_of_losses() -> None:
    assert len(re.findall(r'data-row="7"', columns(comparison()))) == 6
    assert len(re.findall(r'data-row="9"', columns(comparison()))) == 1


def test_lost_texts_are_listed_with_their_rank() -> None:
    text = Reader(columns(comparison())).text
    assert "Missed, with the rank in float32#1a text" in text
    assert text.count("Nothing missed.") == 4


def test_texts_that_float32_does_not_have_are_marked_with_their_rank_there() -> None:
    html = columns(comparison())
    assert html.count('class="pick stray"') == 1
    assert "float32 #1,234, not among its results" in Reader(html).text


def test_the_heads_have_overlap_time_and_bytes() -> None:
    text = Reader(columns(comparison())).text
    for part in ("1 of 2", "2 of 2", "40.0 ms", "20x faster", "154 kB", "+ 3.8 kB disk"):
        assert part in text


def test_a_column_says_what_its_way_finds_on_average_where_that_is_known() -> None:
    made = comparison()
    assert "on average" not in columns(made)
    bits, ours = (
        replace(made[key], average=Average(found, 10, 1000)) for key, found in (("bits", 5.94), ("ours", 9.98))
    )
    html = columns(replace(made, answers=(*made.answers[:2], bits, *made.answers[3:5], ours)))
    text = Reader(html).text
    assert text.count("on average") == 2

    assert "5.9 of 10over 1,000 queries" in text
    assert "9.98 of 10" in text  # not rounded to all


def test_the_footnotes_name_the_ways_that_have_no_average() -> None:
    def named(made: Comparison) -> list[str]:
        note = figures(made).split("<strong>On average", 1)[1]
        return [key for key, words in WAY_WORDS.items() if f" {words.name}," in note or f" {words.name}." in note]

    made = comparison()
    assert named(made) == []
    averaged = replace(
        made,
        answers=tuple(
            each if each.key in ("float32", "published", "bits") else replace(each, average=Average(9.0, 10, 1000))
            for each in made.answers
        ),
    )
    assert named(averaged) == ["bits", "published"]


def test_the_slider_says_of_every_number_of_candidates_what_it_keeps() -> None:
    curve = CandidateCurve((10, 100), ((False, True), (True, True)), (57, 3), (0.55, None), 1000)
    html = candidates_section(comparison(text="<b>bold</b>", curve=curve))
    [data] = re.findall(r'data-candidates="([^"]*)"', html)
    words = json.loads(unescape(data))["words"]
    assert ["1 of 2" in words[0], "5.5 of 10" in words[0]] == [True, True]
    assert ["2 of 2" in words[1], "average" in words[1]] == [True, False]
    assert re.findall(r'data-kept="(\d+)"', html) == ["01", "11"]
    assert "#57" in html
    assert "b" not in Reader(html).tags
    assert candidates_section(comparison()) == ""


def test_the_table_has_one_row_per_way_with_its_share_of_float32() -> None:
    html = figures(comparison())
    assert html.count("<tr") == 7
    text = Reader(html).text
    for part in ("100 %", "25 %", "3 %", "1,536", "median of 1 to 3 runs", "300 MB"):
        assert part in text


def test_the_page_starts_with_the_sentence() -> None:
    assert Reader(board(comparison())).text.startswith(f"Comparison{sentence(comparison())}")


@pytest.mark.parametrize(
    ("reference_ms", "our_ms", "relation"),
    [(102.5, 2.5, "41x faster"), (3.0, 6.0, "2.0x slower"), (3.0, 3.1, "about as fast"), (0.05, 0.4, "too short")],
)
def test_the_sentence_states_speed_and_memory_as_measured(reference_ms: float, our_ms: float, relation: str) -> None:
    made = comparison()
    float32, ours = replace(made["float32"], time_ms=reference_ms), replace(made["ours"], time_ms=our_ms)
    said = sentence(replace(made, answers=(float32, *made.answers[1:-1], ours)))
    for fact in ("2 of 2", "float32", "3 % of the memory", relation):
        assert fact in said


def test_ratios_are_rounded_to_two_digits_or_three() -> None:
    assert [short_percent(share) for share in (1.0, 0.125, 0.03125, 0.004, 0.0)] == [
        "100 %", "12.5 %", "3 %", "0.4 %", "0 %",
    ]  # fmt: skip
    assert [speed_words(ratio) for ratio in (41.2, 3.25, 0.5, 1.0)] == [
        "41x faster", "3.2x faster", "2.0x slower", "about as fast",
    ]  # fmt: skip


def test_programs_get_plain_values() -> None:
    made = comparison()
    values = json.loads(json.dumps(compare_values(made)))
    assert values["in_words"] == sentence(made)
    assert [method["overlap"] for method in values["methods"]] == [each.overlap for each in made.answers]
    assert values["methods"][4]["hits"][0]["text"] == "a text"


def test_every_way_that_is_compared_has_words() -> None:
    assert WAYS.keys() <= WAY_WORDS.keys()
    assert len({words.name for words in WAY_WORDS.values()}) == len(WAY_WORDS)


def test_notes_are_shown_escaped() -> None:
    assert "<b>" not in verdict(comparison(notes=("cut <b>",)))
    assert "cut <b>" in Reader(verdict(comparison(notes=("cut <b>",)))).text


def test_without_float32_the_page_says_what_is_missing_and_counts_with_int8() -> None:
    Balance(board(without_float32()))
    text = Reader(board(without_float32())).text
    assert "--no-baseline" in text
    assert "int8 scan" in text
    assert compare_values(without_float32())["methods"][0]["missing"] is not None


def test_only_web_addresses_become_links() -> None:
    made = comparison()
    safe = columns(made)
    hostile = replace(made["ours"], hits=(replace(hit(1, 7), url="javascript:alert(1)"),))
    assert safe.count('href="https://host/1"') == 12
    assert "javascript" not in columns(replace(made, answers=(*made.answers[:-1], hostile)))


def test_a_long_text_is_cut() -> None:
    text = Reader(columns(comparison("word " * 1000))).text
    assert text.count("word ") == 6 * MAX_TITLE_CHARS // len("word ")


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


@pytest.mark.parametrize("baseline", [True, False])
def test_a_real_comparison_is_shown_whole(build: Build, encoder: FakeEncoder, baseline: bool) -> None:
    searcher = Searcher.open(build(random_texts(40), baseline=baseline).path, encoder=encoder, verify="never")
    html = board(compare(searcher, "sort a list", searcher.defaults))
    Balance(html)
    assert html.count('data-rank="1"') == (6 if baseline else 5)
    assert ("without its float32 vectors" in explanation(searcher)) is not baseline
