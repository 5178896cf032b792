"""What strangers write must come out as text, and nothing else."""

from __future__ import annotations

import pytest

from retrieval.errors import counted
from retrieval.ui.markup import (
    data_size,
    error_words,
    escaped,
    host_of,
    link,
    milliseconds,
    safe_url,
    shortened,
)
from retrieval.ui.search.highlighting import MAX_CHARS, highlighted
from tests.support import HOSTILE, Reader


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_reads_back_unchanged_and_adds_no_tag(text: str) -> None:
    seen = Reader(escaped(text))
    assert seen.text == text
    assert seen.tags == []


@pytest.mark.parametrize("code", HOSTILE)
def test_highlighted_code_reads_back_unchanged_and_adds_only_spans(code: str) -> None:
    seen = Reader(highlighted(code, "python"))
    assert seen.text == code
    assert set(seen.tags) <= {"span"}


def test_characters_that_cannot_be_sent_are_replaced() -> None:
    escaped("a\x00b\ud800c").encode("utf-8")
    assert "\x00" not in escaped("a\x00b")


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)",
        "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "//host/path", "/path", "http://", "https:///x",
        "http://[broken", "http:\\\\host", "https://a b",
    ],
)  # fmt: skip
def test_only_web_addresses_are_linked(url: str | None) -> None:
    assert safe_url(url) is None
    assert link(url, "label") == "label"
    assert host_of(url) == ""


def test_a_link_cannot_leave_its_attribute() -> None:
    html = link('https://host/?"onclick="alert(1)', "<b>")
    seen = Reader(html)
    assert seen.tags == ["a"]
    assert '"onclick' not in html
    assert 'rel="noopener noreferrer"' in html
    assert 'target="_blank"' in html


def test_the_host_is_shown_in_its_usual_form() -> None:
    assert host_of("https://www.stackoverflow.com/questions/1") == "stackoverflow.com"


def test_highlighting_marks_keywords_and_keeps_the_indent() -> None:
    html = highlighted("def f(x):\n    return x\n", "python")
    assert '<span class="t-k">def</span>' in html
    assert "\n    <span" in html


def test_prose_is_not_highlighted() -> None:
    assert highlighted("def is a word", None) == "def is a word"


def test_a_huge_body_is_cut_and_says_so() -> None:
    html = highlighted("x" * 1_000_000, "python")
    assert len(html) < MAX_CHARS + 100
    assert html.endswith("… 990,000 more characters")


def test_a_text_that_fits_is_not_cut() -> None:
    assert shortened("abc", 3) == "abc"


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (28_506_768, "28.5 MB"), (912_216_576, "912 MB"),
        (999_600, "1.0 MB"), (3_000_000_000_000_000, "3,000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_decimal_and_short(size_bytes: int, shown: str) -> None:
    assert data_size(size_bytes) == shown


@pytest.mark.parametrize(("value_ms", "shown"), [(0.0, "0.00"), (0.043, "0.04"), (9.996, "10.0"), (1234.5, "1,234")])
def test_times_have_three_digits_or_so(value_ms: float, shown: str) -> None:
    assert milliseconds(value_ms) == shown


def test_one_is_singular() -> None:
    assert [counted(n, "query", "queries") for n in (0, 1, 2)] == ["0 queries", "1 query", "2 queries"]
    assert counted(1234, "document") == "1,234 documents"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("no index at /srv/data/indexes/one: build one", "No index at one: build one"),
        ("/srv/a-b/int8.usearch is altered", "int8.usearch is altered"),
        ("see https://host/a/b for 1/2 and a/b", "See https://host/a/b for 1/2 and a/b"),
        ("", ""),
    ],
)
def test_visitors_are_not_told_the_folders_of_the_server(message: str, shown: str) -> None:
    assert error_words(RuntimeError(message)) == shown
