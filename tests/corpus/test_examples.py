"""The examples of a corpus that brings none."""

from __future__ import annotations

from retrieval.corpus.examples import COUNT, sampled_examples
from tests.conftest import Build

TEXTS = [f"open the file number {n}" for n in range(100)]


def test_they_are_texts_of_the_corpus_and_the_same_each_time() -> None:
    examples = sampled_examples([TEXTS[:50], TEXTS[50:]])
    assert len(set(examples)) == COUNT
    assert set(examples) <= set(TEXTS)
    assert examples == sampled_examples([TEXTS[:50], TEXTS[50:]])
    assert any(text in TEXTS[50:] for text in examples)


def test_long_texts_single_words_and_line_breaks_do_not_come_up() -> None:
    assert sampled_examples([["word", "a " * 40, "x" * 61, "two words"]]) == ()
    assert sampled_examples([["three\nwords  here"]]) == ("three words here",)


def test_a_corpus_that_brings_its_own_keeps_them(build: Build) -> None:
    assert build(TEXTS).manifest.corpus.examples == ("red apple",)


def test_a_title_that_is_given_takes_the_place_of_the_sources(build: Build) -> None:
    assert build(["red apple"], "named", title="Fruit").manifest.corpus.title == "Fruit"
    assert build(["red apple"], "unnamed").manifest.corpus.title == "Rows of a test"
