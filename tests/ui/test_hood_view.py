"""What the view under the hood answers: a query, an example, another document, an index without a model."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from retrieval import Searcher, SearchSettings
from retrieval.evaluation.comparison.dimensions import drop_dimensions
from retrieval.search.explanation.explain import explain, most_lifted
from retrieval.serving.library import Library
from retrieval.ui.answering import Answering
from retrieval.ui.hood.view import HoodView, document_choices, example_query, lifted_words
from retrieval.ui.knobs import values_of
from retrieval.ui.page import lay_out
from retrieval.ui.visit import Visit
from tests.conftest import Build, FakeEncoder, random_texts
from tests.support import in_loop


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(random_texts(40)).path, encoder=encoder)


def page_over(searcher: Searcher) -> tuple[Answering, HoodView]:
    library = Library(open_searcher=lambda path, encoder: searcher)
    library.add(searcher.bundle.path, as_default=True)

    def make() -> Answering:
        with gr.Blocks(analytics_enabled=False) as page:
            return lay_out(page, library)

    answering = in_loop(make)
    view = answering.views["hood"]
    assert isinstance(view, HoodView)
    return answering, view


def asked(text: str) -> list[Any]:
    return [text, None, None, *values_of(SearchSettings())]


def test_a_query_fills_the_steps_and_the_choice(searcher: Searcher) -> None:
    page, view = page_over(searcher)
    update = page.follow("hood", Visit(), *asked("sort list"))
    lifted = most_lifted(searcher.search("sort list").hits)
    assert "sort list" in update[view.query_steps]
    assert update[view.document].value == lifted.row
    assert f'data-count="distance">{lifted.hamming_distance}</strong>' in update[view.document_steps]


def test_it_begins_with_the_document_that_rescoring_lifted_most_and_says_from_where(searcher: Searcher) -> None:
    settings = replace(searcher.defaults, top_k=5)
    found = explain(searcher, "sort list", settings, otherwise=most_lifted)
    rises = [hit.binary_rank - hit.rank for hit in found.response.hits]
    assert found.hit.binary_rank - found.hit.rank == max(rises) > 0
    words = lifted_words(found)
    assert f"<strong>{found.hit.binary_rank}</strong>" in words
    assert f"<strong>{found.hit.rank}</strong>" in words
    assert lifted_words(explain(searcher, "sort list", settings, rises.index(min(rises)))) == "" or min(rises) > 0


def test_fewer_dimensions_are_measured_when_they_are_asked_for(searcher: Searcher) -> None:
    page, view = page_over(searcher)
    update = page.follow("hood", Visit(), *asked("sort list"))
    assert [count for _, count in update[view.dimensions].choices] == [64, 32, 16, 8]
    assert update[view.dropped] == ""
    html = view.drop(16, *asked("sort list"))
    dropped = drop_dimensions(searcher, searcher.encode_query("sort list")[0], 10)
    for each in (dropped.kept[0], dropped.at(16)):
        assert f"<strong>{each.found(10)}</strong> of 10" in html
        assert f"{each.dim} bits" in html
    assert "16 bits" not in view.drop(None, *asked("sort list"))


def test_a_failed_measurement_is_explained(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    _, view = page_over(searcher)
    monkeypatch.setattr(searcher, "search", lambda *_, **__: 1 / 0)
    assert "cannot be measured" in view.drop(16, *asked("red"))


def test_another_document_gives_its_own_steps(searcher: Searcher) -> None:
    _, view = page_over(searcher)
    third = searcher.search("sort list").hits[2]
    html = view.choose(third.row, *asked("sort list"))
    assert f'data-count="distance">{third.hamming_distance}</strong>' in html


def test_an_empty_query_box_follows_an_example(searcher: Searcher) -> None:
    page, view = page_over(searcher)
    update = page.open_view("hood", "search", Visit(), *asked(" "))
    assert "An example" in update[view.query_steps]
    assert "red apple" in update[view.query_steps]
    row = update[view.document].value
    distance = re.compile(r'data-count="distance">(\d+)<')
    assert distance.findall(view.choose(row, *asked(""))) == distance.findall(update[view.document_steps]) != []


def test_without_examples_the_first_words_of_a_document_are_one(build: Build, encoder: FakeEncoder) -> None:
    bundle = build(["one two three four five six seven eight", "red"])
    searcher = Searcher.open(bundle.path, encoder=encoder)
    object.__setattr__(searcher.manifest.corpus, "examples", ())
    assert example_query(searcher) == "one two three four five six"


def test_without_a_model_the_first_document_serves_as_the_query(build: Build) -> None:
    page, view = page_over(Searcher(build(random_texts(20)), None))
    update = page.open_view("hood", "search", Visit(), *asked(""))
    assert "no model" in update[view.query_steps]
    assert update[view.document].value == 0
    assert 'data-count="distance">0</strong>' in update[view.document_steps]
    second = update[view.document].choices[1][1]
    assert 'data-count="distance">0</strong>' not in view.choose(second, *asked(""))


def test_a_query_to_an_index_without_a_model_is_answered_with_a_message(build: Build) -> None:
    page, view = page_over(Searcher(build(random_texts(20)), None))
    update = page.follow("hood", Visit(), *asked("red"))
    assert "No search was made" in update[view.query_steps]
    assert update[view.document_steps] == ""
    assert "cannot be shown" in view.choose(0, *asked("red"))


def test_an_unexpected_failure_shows_a_message_without_its_details(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, view = page_over(searcher)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(searcher, "search", fail)
    html = view.choose(0, *asked("red"))
    assert "cannot be shown" in html
    assert "secret" not in html


def test_ten_documents_at_most_can_be_chosen_each_on_one_line(searcher: Searcher) -> None:
    found = explain(searcher, "sort list", SearchSettings(top_k=30))
    choices = document_choices(found)
    assert len(choices) == 10
    assert [row for _, row in choices] == [hit.row for hit in found.response.hits[:10]]
    assert max(len(label) for label, _ in choices) <= 40
