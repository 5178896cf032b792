"""The page is built without being served, and its handlers answer with values, whatever they are given."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr
import pytest

from retrieval import QueryError, Searcher, SearchSettings
from retrieval.bundle import INT8_FILE
from retrieval.ui.api import SearchApi
from retrieval.ui.knobs import settings_of, values_of
from retrieval.ui.page import build_page
from retrieval.ui.public_link import PublicLink
from retrieval.ui.search_view import UNEXPECTED, SearchView
from retrieval.ui.theme import launch_options
from retrieval.ui.visit import Visit
from tests.conftest import Build, FakeEncoder

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
def view(searcher: Searcher) -> SearchView:
    return in_blocks(lambda: SearchView(searcher))


def in_loop(make: Callable[[], Made]) -> Made:
    """Returns what `make` returns. Where no event loop runs, `gr.Blocks` makes one of its own and leaves it open."""

    async def run() -> Made:
        return make()

    return asyncio.run(run())


def page_over(searcher: Searcher, *args: Any, **options: Any) -> gr.Blocks:
    return in_loop(lambda: build_page(searcher, *args, **options))


def in_blocks(make: Callable[[], Made]) -> Made:
    def build() -> Made:
        with gr.Blocks(analytics_enabled=False):
            return make()

    return in_loop(build)


def values(view: SearchView, **changes: Any) -> list[Any]:
    named = dict(zip(("top_k", "num_candidates", "rescore_multiplier", "asymmetric", "rescore"),
                     view.default_values(), strict=True))  # fmt: skip
    return list({**named, **changes}.values())


def events(page: gr.Blocks) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.get_config_file()["dependencies"]
    return found


def test_the_page_is_built_without_being_served(searcher: Searcher) -> None:
    page = page_over(searcher, ["a note"])
    assert not page.is_running
    assert page.analytics_enabled is False


def test_only_the_search_is_open_to_programs(searcher: Searcher) -> None:
    public = [event["api_name"] for event in events(page_over(searcher)) if event["api_visibility"] == "public"]
    assert public == ["search"]


def test_no_search_waits_in_the_queue(searcher: Searcher) -> None:
    assert {event["queue"] for event in events(page_over(searcher))} == {False}


def test_nothing_the_page_is_dressed_in_comes_from_elsewhere() -> None:
    options = launch_options()
    assert options["theme"]._stylesheets == []
    for text in (options["theme"]._get_theme_css(), options["head"]):
        assert re.search(r"""url\(["']?(?!["']?data:)|@import|src=|href=""", text) is None


def test_a_query_fills_results_panels_and_the_visit(view: SearchView) -> None:
    update = view.search("red apple", Visit(), *values(view))
    assert "eat" in update[view.results]
    assert "peel" in update[view.results]
    assert "1 query" in update[view.latency]
    assert "RSS" in update[view.memory]
    assert update[view.visit].last_query == "red apple"


@pytest.mark.parametrize("query", ["", "  \n", "\x00", None])
def test_a_blank_query_is_answered_with_a_message(view: SearchView, query: Any) -> None:
    update = view.search(query, Visit(), *values(view))
    assert list(update) == [view.results]
    assert "No search was made" in update[view.results]


def test_hostile_documents_come_out_as_text(view: SearchView) -> None:
    html = view.search("blue plum <script>alert(1)</script>", Visit(), *values(view))[view.results]
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "javascript" not in html


def test_an_index_out_of_service_says_so(view: SearchView, searcher: Searcher, build: Build) -> None:
    path = searcher.bundle.file(INT8_FILE)
    path.write_bytes(bytes(path.stat().st_size))
    searcher.verification.start("background")
    searcher.verification.wait()
    html = view.search("red apple", Visit(), *values(view))[view.results]
    assert "cannot be searched now" in html
    assert "out of service" in html


def test_an_unexpected_failure_gives_a_message_and_a_line_in_the_log(
    view: SearchView, searcher: Searcher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(searcher, "search", fail)
    html = view.search("red apple", Visit(), *values(view))[view.results]
    assert UNEXPECTED in html
    assert "secret detail" not in html
    assert "secret detail" in caplog.text


def test_a_moved_control_searches_the_last_query_again(view: SearchView) -> None:
    visit = Visit(last_query="red apple")
    one = view.search_again(visit, *values(view, top_k=1))[view.results]
    assert one.count('class="hit"') == 1
    estimates = view.search_again(visit, *values(view, rescore=False))[view.results]
    assert "estimate" in estimates


def test_a_moved_control_before_the_first_query_does_nothing(view: SearchView) -> None:
    assert view.search_again(Visit(), *values(view)) == {view.visit: Visit()}


def test_an_example_stands_in_the_query_box(view: SearchView) -> None:
    update = view.search_example("red apple", Visit(), *values(view))
    assert update[view.query] == "red apple"
    assert "eat" in update[view.results]


def test_settings_survive_the_way_through_the_controls() -> None:
    settings = SearchSettings(top_k=3, num_candidates=50, rescore_multiplier=2, asymmetric=False, rescore=False)
    assert settings_of(values_of(settings), SearchSettings()) == settings
    assert settings_of((None, None, None, True, True), settings).num_candidates == 50


def test_the_api_gives_plain_values_and_clear_errors(searcher: Searcher) -> None:
    api = in_blocks(lambda: SearchApi(searcher))
    found = api.search("red apple", top_k=1)
    assert found["hits"][0]["text"] == "red apple"
    assert found["hits"][0]["member_rows"] == [1]
    assert found["settings"]["top_k"] == 1
    with pytest.raises(gr.Error, match="the query is empty") as caught:
        api.search(" ")
    assert isinstance(caught.value.__cause__, QueryError)


def link_after(open_tunnel: Callable[[], str], deadline_s: float = 5.0) -> PublicLink:
    link = PublicLink(open_tunnel)
    link.ask(deadline_s)
    return link


def test_a_public_link_is_shown(searcher: Searcher) -> None:
    link = link_after(lambda: "https://x.gradio.live")
    assert "https://x.gradio.live" in link.note
    assert "tick" in [
        target[1] for event in events(page_over(searcher, public_link=link)) for target in event["targets"]
    ]


def test_a_tunnel_that_cannot_be_had_is_told_with_its_reason() -> None:
    def fail() -> str:
        raise RuntimeError("Could not get share link from Gradio API Server.") from OSError("no route to host")

    note = link_after(fail).note
    assert "frpc" in note
    assert "no route to host" in note
    assert "goes on locally" in note


def test_a_tunnel_that_hangs_is_given_up_and_stays_given_up() -> None:
    release = threading.Event()

    def hang() -> str:
        release.wait(10)
        return "https://late.gradio.live"

    started = time.monotonic()
    link = link_after(hang, deadline_s=0.1)
    assert time.monotonic() - started < 5
    assert "no answer after 0.1 s" in link.note
    release.set()
    link._thread.join(10)
    assert link.url is None
