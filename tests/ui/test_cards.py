"""Result cards: everything shown, nothing run, and missing fields leave no hole."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from retrieval import STAGES, Document, Hit, Latency, SearchResponse, SearchSettings
from retrieval.ui.markup import message
from retrieval.ui.search.hit_cards import CardStyle, invitation, member_rows, result_list, source_name
from tests.support import HOSTILE, Reader

STYLE = CardStyle(dim=384, body_language="python", corpus_name="conala")
DOCUMENT = Document(7, "Sort a list", "sorted(x)", "https://stackoverflow.com/questions/7", "7", 0.87)
HIT = Hit(1, 7, 0.8734, False, 52, 15, DOCUMENT)
ALLOWED = {
    "section", "p", "strong", "ol", "li", "article", "header", "footer", "span", "div", "h2", "h3", "a", "small", "pre",
    "code", "button", "details", "summary",
}  # fmt: skip


def response(*hits: Hit, **changes: Any) -> SearchResponse:
    plain = SearchResponse("q", hits, Latency(dict.fromkeys(STAGES, 0.5), 4.2), SearchSettings(), 593_891, 1000, 200)
    return dataclasses.replace(plain, **changes)


def document(**changes: Any) -> Hit:
    return dataclasses.replace(HIT, document=dataclasses.replace(DOCUMENT, **changes))


def test_a_card_shows_what_is_known_of_the_hit() -> None:
    text = Reader(result_list(response(HIT), {}, STYLE)).text
    for part in ("1 result", "593,891 documents", "4.20 ms", "Sort a list", "stackoverflow.com", "0.873", "cosine",
                 "sorted(x)", "bits #15, rescored #1", "52 of 384 bits differ", "quality 0.87"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", ["python", None])
def test_untrusted_text_stays_text(text: str, language: str | None) -> None:
    style = dataclasses.replace(STYLE, body_language=language)
    hit = dataclasses.replace(document(text=text, body=text + "\n2", url=f"https://host/{text}"), member_rows=(8,))
    members = {8: Document(8, text + "!", text + "\n3")}
    seen = Reader(result_list(response(hit, notes=(text,)), members, style))
    assert set(seen.tags) <= ALLOWED
    assert seen.text.count(text) >= 5


def test_an_unsafe_address_is_not_linked() -> None:
    html = result_list(response(document(url="javascript:alert(1)")), {}, STYLE)
    assert "javascript" not in html
    assert "<a " not in html


def test_missing_fields_leave_no_hole() -> None:
    bare = dataclasses.replace(HIT, document=Document(7, "only a text"))
    seen = Reader(result_list(response(bare), {}, STYLE))
    assert "None" not in seen.text
    assert not {"a", "pre", "details"} & set(seen.tags)


def test_a_body_that_repeats_the_text_is_shown_once() -> None:
    assert Reader(result_list(response(document(body=" Sort a list ")), {}, STYLE)).text.count("Sort a list") == 1


def test_prose_is_not_a_code_block() -> None:
    style = dataclasses.replace(STYLE, body_language=None)
    html = result_list(response(document(body="A passage.\nTwo lines.")), {}, style)
    assert "<pre" not in html
    assert "data-copy" not in html
    assert "A passage.\nTwo lines." in html


def test_a_long_text_becomes_a_passage_and_a_huge_one_is_cut() -> None:
    html = result_list(response(document(text="word " * 200_000)), {}, STYLE)
    assert 'class="passage folded"' in html
    assert "more characters" in html
    assert len(html) < 15_000


def test_an_estimate_is_marked() -> None:
    text = Reader(result_list(response(dataclasses.replace(HIT, is_estimate=True)), {}, STYLE)).text
    assert "estimate" in text
    assert "cosine" not in text


@pytest.mark.parametrize(("before", "now", "kind"), [(15, 1, "up"), (1, 4, "down"), (3, 3, "same")])
def test_the_badge_tells_the_way_from_the_hamming_stage(before: int, now: int, kind: str) -> None:
    others = [document(text=f"text {rank}") for rank in range(1, now)]
    hit = dataclasses.replace(HIT, binary_rank=before, rank=now)
    html = result_list(response(*others, hit), {}, STYLE)
    assert f'class="badge {kind}"' in html
    assert f"bits #{before}, rescored #{now}" in html


def test_other_members_are_behind_a_toggle_and_the_rest_is_counted() -> None:
    hit = dataclasses.replace(HIT, member_rows=tuple(range(20, 32)))
    rows = member_rows([hit])
    members = {row: Document(row, "Sort a list", f"snippet_{row}()") for row in rows}
    seen = Reader(result_list(response(hit), members, STYLE))
    assert rows == [20, 21, 22, 23, 24]
    assert "12 other snippets for this question" in seen.text
    assert "snippet_24()" in seen.text
    assert "and 7 more" in seen.text


def test_members_of_another_corpus_are_not_called_snippets() -> None:
    hit = dataclasses.replace(HIT, member_rows=(20,))
    html = result_list(response(hit), {20: Document(20, "x")}, dataclasses.replace(STYLE, corpus_name="file"))
    assert "1 more of the same group" in html


def test_notes_and_no_results_are_said() -> None:
    assert "was cut" in result_list(response(HIT, notes=("The query was cut.",)), {}, STYLE)
    assert "Nothing was found" in result_list(response(), {}, STYLE)


def test_hits_of_one_text_are_reported_once() -> None:
    same = [dataclasses.replace(HIT, rank=rank, row=rank) for rank in range(1, 10)]
    other = dataclasses.replace(document(text="Reverse a list"), rank=10, row=10)
    html = result_list(response(*same, other), {}, STYLE)
    text = Reader(html).text
    assert html.count('<li class="hit') == 2
    assert "9 times" in text
    assert "2 results (10 rows)" in text
    assert 'aria-label="Result 2"' in html


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"package": "tablib", "summary": "x"}, "tablib"),
        ({"qualified_name": "Sort", "package": "stdlib"}, "stdlib"),  # the text begins with the first one
        ({"id": 7}, "7"),
        ({"file": "x" * 200}, ""),
        ({"score": 0.5, "name": None}, ""),
    ],
)
def test_a_row_shows_the_name_that_its_source_has_for_it(extra: dict[str, Any], name: str) -> None:
    assert source_name(dataclasses.replace(DOCUMENT, text="Sort a list", extra=extra)) == name


def test_long_code_is_folded_and_says_how_long_it_is() -> None:
    html = result_list(response(document(body="\n".join(f"line({n})" for n in range(34)))), {}, STYLE)
    assert "Show all 34 lines" in html
    assert "data-fold" not in result_list(response(document(body="one()")), {}, STYLE)


def test_an_error_is_announced() -> None:
    assert 'role="alert"' in message("Title", "<b>", is_error=True)
    assert "<b>" not in message("Title", "<b>")


def test_the_invitation_speaks_of_examples_only_where_there_are_some() -> None:
    assert "example" in invitation(3, True)
    assert "example" not in invitation(3, False)
