"""The question that a visitor asks, and what the views are that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from retrieval.results import SearchSettings
from retrieval.search.searcher import Searcher
from retrieval.ui.visit import Visit

Update = dict[Any, Any]
"""New values by component: what a handler returns to Gradio."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which index, with which settings."""

    text: str
    index: str
    """The name of the index, as the address of the page has it."""
    searcher: Searcher
    settings: SearchSettings


class View(Protocol):
    """A tab of the page that answers the query. What it shows depends on the selected index."""

    @property
    def key(self) -> str:
        """Returns its name in the address of the page."""
        ...

    @property
    def outputs(self) -> Sequence[Any]:
        """Returns the components that it may update."""
        ...

    def on_index(self, searcher: Searcher) -> Update:
        """Returns what changes when another index is selected."""
        ...

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the answer; `QueryError` and its friends go to the caller, who calls `show`."""
        ...

    def empty(self, searcher: Searcher) -> Update:
        """Returns what is shown before there is a query."""
        ...

    def show(self, message: str) -> Update:
        """Returns a message, as HTML, instead of the answer."""
        ...
