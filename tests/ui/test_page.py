"""The page is built without being served, and its handlers answer with values, whatever they are given."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import pytest

from retrieval import QueryError, Searcher, SearchSettings
from retrieval.bundle.manifest import INT8_FILE
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.library import Library
from retrieval.ui import knobs
from retrieval.ui.answering import UNEXPECTED, Answering
from retrieval.ui.api import Api
from retrieval.ui.asking import placeholder
from retrieval.ui.knobs import settings_of, values_of
from retrieval.ui.page import build_page, lay_out
from retrieval.ui.public_link import PublicLink
from retrieval.ui.search.view import SearchView
from retrieval.ui.theme import launch_options
from retrieval.ui.visit import Visit
from tests.conftest import Build, FakeEncoder
from tests.support import PATIENCE_S, in_loop

Made = TypeVar("Made")
ROWS = [
    {"text": "red apple", "body": "eat(apple)", "url": "https://host/1", "group": "1", "quality": 0.9},
    {"text": "red apple", "body": "peel(apple)", "url": "https://host/1", "group": "1", "quality": 0.8},
    {"text": "blue plum", "body": "<script>", "url": "javascript:alert(1)", "group": "2", "quality": 0.7},
]


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(ROWS).path, encoder=encoder)


@pytest.fixture
def library(searcher: Searcher) -> Library:
    library = Library(open_searcher=lambda path, encoder: searcher)
    library.add(searcher.bundle.path, as_default=True)
    return library


@pytest.fixture
def page(library: Library) -> Answering:
    def make() -> Answering:
        with gr.Blocks(analytics_enabled=False) as page:
            return lay_out(page, library)

    return in_loop(make)


@pytest.fixture
def view(page: Answering) -> SearchView:
    found = page.views["search"]
    assert isinstance(found, SearchView)
    return found


def page_over(library: Library, *args: Any, **options: Any) -> gr.Blocks:
    return in_loop(lambda: build_page(library, *args, **options))


def asked(text: Any, index: str | None = None, own: Any = None, **changes: Any) -> list[Any]:
    """Returns the values of what a visitor asks, in the order in which the handlers take them."""
    settings = replace(SearchSettings(num_candidates=1000, rescore_multiplier=20), **changes)
    return [text, index, own, *values_of(settings)]


def events(page: gr.Blocks) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.get_config_file()["dependencies"]
    return found


def test_the_page_is_built_without_being_served(library: Library) -> None:
    page = page_over(library, ["a note"])
    assert not page.is_running
    assert page.analytics_enabled is False


def test_only_the_endpoints_are_open_to_programs(library: Library) -> None:
    public = [event["api_name"] for event in events(page_over(library)) if event["api_visibility"] == "public"]
    assert public == ["search", "compare", "indexes", "frontier"]


def test_no_search_waits_in_the_queue(library: Library) -> None:
    waiting = [event for event in events(page_over(library)) if event["queue"]]
    assert [target[1] for event in waiting for target in event["targets"]] == ["unload"]  # which asks nothing


def test_styles_and_fonts_come_from_no_other_host() -> None:
    options = launch_options()
    assert options["theme"]._stylesheets == []
    for text in (options["theme"]._get_theme_css(), options["head"]):
        assert re.search(r"""url\(["']?(?!["']?data:)|@import|src=|href=""", text) is None


def test_a_query_fills_results_panels_and_the_visit(page: Answering, view: SearchView) -> None:
    update = page.follow("search", Visit(), *asked("red apple"))
    assert "eat" in update[view.results]
    assert "peel" in update[view.results]
    assert "1 query" in update[view.latency]
    assert "RSS" in view.measured_memory(None, None)
    assert update[page.asking.visit].num_queries == 1


def test_no_search_waits_for_the_memory_to_be_measured(
    page: Answering, view: SearchView, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise AssertionError("the memory was measured")

    monkeypatch.setattr(searcher, "memory", fail)
    assert "eat" in page.follow("search", Visit(), *asked("red apple"))[view.results]


@pytest.mark.parametrize("query", ["", "  \n", None])
def test_an_empty_query_box_gives_the_empty_view(page: Answering, view: SearchView, query: Any) -> None:
    update = page.follow("search", Visit(), *asked(query))
    assert "invitation" in update[view.results]
    assert page.asking.visit not in update


def test_an_unreadable_query_counts_as_empty(page: Answering, view: SearchView) -> None:
    assert "No search was made" in page.follow("search", Visit(), *asked("\x00"))[view.results]


def test_hostile_documents_come_out_as_text(page: Answering, view: SearchView) -> None:
    html = page.follow("search", Visit(), *asked("blue plum <script>alert(1)</script>"))[view.results]
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "javascript" not in html


def test_an_index_out_of_service_says_so(page: Answering, view: SearchView, searcher: Searcher) -> None:
    path = searcher.bundle.file(INT8_FILE)
    path.write_bytes(bytes(path.stat().st_size))
    searcher.files.verification.start("background")
    searcher.files.verification.wait()
    html = page.follow("search", Visit(), *asked("red apple"))[view.results]
    assert "cannot be searched now" in html
    assert "out of service" in html


@pytest.mark.parametrize("key", ["search", "compare", "hood"])
def test_an_index_whose_folder_is_gone_has_one_message_in_every_view(
    page: Answering, searcher: Searcher, tmp_path: Path, key: str
) -> None:
    searcher.bundle.path.rename(tmp_path / "elsewhere")
    update = page.follow(key, Visit(), *asked("red apple"))
    told = [value for value in update.values() if isinstance(value, str) and "cannot be searched now" in value]
    assert len(told) == 1
    assert "is gone: choose another index" in told[0]


def test_an_unexpected_failure_gives_a_message_and_a_line_in_the_log(
    page: Answering, view: SearchView, searcher: Searcher, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(searcher, "search", fail)
    html = page.follow("search", Visit(), *asked("red apple"))[view.results]
    assert UNEXPECTED in html
    assert "secret detail" not in html
    assert "secret detail" in caplog.text


def test_a_moved_control_searches_again(page: Answering, view: SearchView) -> None:
    one = page.follow("search", Visit(), *asked("red apple", top_k=1))[view.results]
    assert one.count('class="hit"') == 1
    estimates = page.follow("search", Visit(), *asked("red apple", rescore=False))[view.results]
    assert "estimate" in estimates


def test_a_moved_control_before_the_first_query_searches_nothing(page: Answering) -> None:
    assert page.asking.visit not in page.follow("search", Visit(), *asked("", top_k=1))


def test_the_examples_of_an_index_are_offered_as_text(page: Answering) -> None:
    assert "data-example>red apple</button>" in page.asking.examples.value


def test_reset_brings_back_what_the_index_recommends(page: Answering, searcher: Searcher) -> None:
    update = page.reset("search", Visit(), *asked("red apple", top_k=1, rescore=False))
    assert [update[knob] for knob in page.asking.knobs.inputs] == list(values_of(searcher.defaults))


def test_an_unknown_index_is_reported(page: Answering, view: SearchView) -> None:
    html = page.choose_index("search", Visit(), *asked("red apple", "nowhere"))[view.results]
    assert "no index called" in html


def test_a_link_opens_the_query_the_settings_and_the_view_it_names(page: Answering, view: SearchView) -> None:
    request = gr.Request(query_params={"q": "red apple", "k": "1", "rescore": "0", "view": "nowhere"})
    update = page.arrive(request, "search", Visit(), *asked(""))
    assert update[view.results].count('class="hit"') == 1
    assert update[page.asking.knobs.top_k] == 1
    assert update[page.active] == "search"
    assert update[page.address] == "?q=red+apple&index=index&k=1&rescore=0"


def test_gradio_writes_no_stub_next_to_our_sources(page: Answering) -> None:
    assert list(Path(knobs.__file__).parent.rglob("*.pyi")) == []


def test_control_values_of_the_previous_index_are_accepted(page: Answering) -> None:
    assert page.asking.knobs.num_candidates.preprocess(24) == 24
    assert settings_of((10, 24.0, "", True, True, "", None), SearchSettings()) == SearchSettings(num_candidates=24)


def test_settings_survive_the_round_trip_through_the_controls() -> None:
    settings = SearchSettings(top_k=3, num_candidates=50, rescore_multiplier=2, asymmetric=False, rescore=False)
    assert settings_of(values_of(settings), SearchSettings()) == settings
    assert settings_of((None, None, None, True, True, None, None), settings).num_candidates == 50


def test_the_api_gives_plain_values_and_clear_errors(library: Library) -> None:
    def make() -> Api:
        with gr.Blocks(analytics_enabled=False):
            return Api(library, IndexFrontiers())

    api = in_loop(make)
    found = asyncio.run(api.search("red apple", top_k=1))
    assert found["hits"][0]["text"] == "red apple"
    assert found["hits"][0]["member_rows"] == [1]
    assert found["settings"]["top_k"] == 1
    with pytest.raises(gr.Error, match="The query is empty") as caught:
        asyncio.run(api.search(" "))
    assert isinstance(caught.value.__cause__, QueryError)


def link_after(open_tunnel: Callable[[], str], deadline_s: float = PATIENCE_S) -> PublicLink:
    link = PublicLink(open_tunnel)
    link.ask(deadline_s)
    return link


def test_a_public_link_is_shown(library: Library) -> None:
    link = link_after(lambda: "https://x.gradio.live")
    assert "https://x.gradio.live" in link.note
    assert "tick" in [
        target[1] for event in events(page_over(library, public_link=link)) for target in event["targets"]
    ]


def test_a_failed_tunnel_is_reported_with_its_reason() -> None:
    def fail() -> str:
        raise RuntimeError("Could not get share link from Gradio API Server.") from OSError("no route to host")

    note = link_after(fail).note
    assert "frpc" in note
    assert "no route to host" in note
    assert "works locally" in note


def test_a_tunnel_that_hangs_is_given_up_and_stays_given_up() -> None:
    release = threading.Event()

    def hang() -> str:
        release.wait(PATIENCE_S)
        return "https://late.gradio.live"

    link = link_after(hang, deadline_s=0.1)
    assert "no answer after 0.1 s" in link.note
    release.set()
    link._thread.join(PATIENCE_S)
    assert link.url is None


def test_the_query_box_of_an_index_without_a_model_says_so(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no model" not in placeholder(searcher)
    monkeypatch.setattr(Searcher, "can_encode", property(lambda self: False))
    assert "no model" in placeholder(searcher)
