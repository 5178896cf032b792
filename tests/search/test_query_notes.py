"""Queries that a model cannot know are told to be such; others have no notes."""

from __future__ import annotations

import pytest

from retrieval import load_encoder
from retrieval.search.query_notes import foreign_share, query_notes
from tests.conftest import FakeEncoder


class HalfKnowing(FakeEncoder):
    """Knows ASCII words only."""

    def num_tokens_unknown(self, text: str) -> tuple[int, int]:
        words = text.split()
        return sum(not word.isascii() for word in words), len(words)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("\N{RED APPLE}", "none of the query"),
        ("\N{RED APPLE} \N{PEAR} table", "only 1 of 3 tokens"),
        ("\N{RED APPLE} red apple", None),
        ("na\u00efve caf\u00e9", "none of the query"),  # of this vocabulary
        ("read a csv file", None),
    ],
)
def test_half_or_more_unknown_tokens_are_reported(query: str, said: str | None) -> None:
    notes = query_notes(HalfKnowing(), query)
    assert len(notes) == (said is not None)
    assert said is None or said in notes[0]


def test_another_script_is_reported_where_the_model_learnt_from_english() -> None:
    cyrillic = "\u043a\u0430\u043a \u043f\u0440\u043e\u0447\u0438\u0442\u0430\u0442\u044c csv"
    assert "not in Latin letters" in query_notes(FakeEncoder(), cyrillic)[0]
    many = FakeEncoder()
    many.model_id = "paraphrase-multilingual-MiniLM"
    assert query_notes(many, cyrillic) == ()


def test_latin_letters_with_marks_are_latin() -> None:
    assert foreign_share("na\u00efve fa\u00e7ade \u0141\u00f3d\u017a") == 0.0
    assert foreign_share("123 \N{RED APPLE}") == 0.0
    assert foreign_share("\u03b1 b") == 0.5


@pytest.mark.model
def test_the_model_itself_does_not_know_an_emoji() -> None:
    encoder = load_encoder()
    assert "none of the query" in query_notes(encoder, "\N{FACE WITH TEARS OF JOY}\N{RED APPLE}")[0]
    assert query_notes(encoder, "caf\u00e9 opening hours") == ()
