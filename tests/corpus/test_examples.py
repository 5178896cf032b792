"""The examples of a corpus that brings none."""

from __future__ import annotations

import pytest

from retrieval.corpus.examples import COUNT, query_from, sampled_examples
from tests.conftest import Build

TEXTS = [f"How to open the file number {n}" for n in range(100)]


def made(*batches: list[str]) -> tuple[str, ...]:
    return sampled_examples(lambda: iter(batches))


def test_they_are_the_words_of_texts_and_the_same_each_time() -> None:
    examples = made(TEXTS[:50], TEXTS[50:])
    assert len(set(examples)) == COUNT
    assert all(example.startswith("open file number ") for example in examples)
    assert examples == made(TEXTS[:50], TEXTS[50:])
    assert any(int(example.split()[-1]) >= 50 for example in examples)


def test_no_example_is_a_text_of_the_corpus() -> None:
    queries = [query_from(text) for text in TEXTS]
    assert made(TEXTS, [f"{query.capitalize()}." for query in queries]) == ()
    assert len(made(TEXTS[:20], queries[:18])) == 2


def test_short_and_huge_texts_make_none() -> None:
    assert made(["word", "a " * 60, "two of them", "x" * 90 + " and so on forever"]) == ()
    assert made([]) == ()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Convert into csv into a readable table.", "convert csv readable table"),
        ("line\nbreaks  become the single spaces", "line breaks become single spaces"),
        ("How do I sort a list (of numbers)?", "sort list numbers"),
        ("Old name. Please use the new one", ""),
        ("nothing dropped from words", "nothing dropped words"),
        ("nothing would go away", ""),
    ],
)
def test_a_query_has_the_words_that_matter(text: str, query: str) -> None:
    assert query_from(text) == query


def test_a_corpus_with_its_own_examples_keeps_them(build: Build) -> None:
    assert build(TEXTS).manifest.corpus.examples == ("red apple",)


def test_a_title_that_is_given_replaces_the_sources(build: Build) -> None:
    assert build(["red apple"], "named", title="Fruit").manifest.corpus.title == "Fruit"
    assert build(["red apple"], "unnamed").manifest.corpus.title == "Rows of a test"
