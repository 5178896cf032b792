"""The notes over the views: those of one index come and go with it, and the background's tells how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from retrieval import BundleMissingError, Searcher
from retrieval.serving.background.index import BackgroundIndex, FetchJob
from retrieval.serving.background.status import ready
from retrieval.serving.library import Library
from retrieval.serving.startup import take_over
from retrieval.ui.page import build_page, lay_out
from tests.conftest import Build, FakeEncoder


@pytest.fixture
def searchers(build: Build, encoder: FakeEncoder) -> dict[str, Searcher]:
    made = {name: build([f"{name} apple"], name=name) for name in ("small", "large")}
    return {name: Searcher.open(bundle.path, encoder=encoder) for name, bundle in made.items()}


@pytest.fixture
def library(searchers: dict[str, Searcher]) -> Library:
    library = Library(open_searcher=lambda path, encoder: searchers[path.name])
    library.add(searchers["small"].bundle.path, as_default=True)
    return library


def in_loop(make: Callable[[], Any]) -> Any:
    """Returns what `make` returns. Where no event loop runs, `gr.Blocks` makes one of its own and leaves it open."""

    async def run() -> Any:
        return make()

    return asyncio.run(run())


def test_a_note_about_one_index_goes_with_it(library: Library, searchers: dict[str, Searcher]) -> None:
    def make() -> Any:
        with gr.Blocks(analytics_enabled=False) as page:
            return lay_out(page, library, ["always"], index_notes={searchers["small"].bundle.path: ["the small one"]})

    frame = in_loop(make)._frame
    notes = {name: frame.on_index(searcher)[frame.notes].value for name, searcher in searchers.items()}
    assert [name for name, note in notes.items() if "always" in note] == ["small", "large"]
    assert [name for name, note in notes.items() if "the small one" in note] == ["small"]


def test_the_page_looks_after_the_background_until_it_is_settled(library: Library) -> None:
    background = BackgroundIndex(FetchJob("hf://datasets/me/index"), lambda path: "large")
    page = in_loop(lambda: build_page(library, background=background))
    config = page.get_config_file()
    (note,) = [part for part in config["components"] if part["props"].get("elem_id") == "background-note"]
    assert "being made ready" in note["props"]["value"]
    (look_up,) = [block.fn for block in page.fns.values() if getattr(block.fn, "__name__", "") == "look_up"]
    assert look_up()[1].active
    background.status = ready("The index", "large")
    text, timer = look_up()
    assert 'href="?index=large"' in text
    assert not timer.active


def test_the_index_that_takes_over_is_the_one_visitors_meet(library: Library, searchers: dict[str, Searcher]) -> None:
    assert take_over(library, searchers["large"].bundle.path) == "large"
    assert (library.default, library.open()) == ("large", searchers["large"])


def test_one_that_cannot_be_opened_does_not_take_over(library: Library, tmp_path: Path) -> None:
    with pytest.raises(BundleMissingError):
        take_over(library, tmp_path / "nothing")
    assert library.default == "small"
