"""From what a visitor does to what the page shows: one handler per event, and one answer, in the open view."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from retrieval.errors import BundleError, BundleMissingError, QueryError, RetrievalError
from retrieval.serving.library import Library
from retrieval.serving.metrics import counting_failures, timing
from retrieval.serving.turns import HEAVY
from retrieval.ui.address import Address, address_of, read_address
from retrieval.ui.asking import OF_OPEN_VIEW, Asking, index_choices, question_of, searcher_of
from retrieval.ui.frame import Frame
from retrieval.ui.knobs import values_of
from retrieval.ui.markup import error_words, message
from retrieval.ui.request_limits import MAX_QUERY_CHARS
from retrieval.ui.theme import QUIET
from retrieval.ui.views import Update, View
from retrieval.ui.visit import Visit
from retrieval.ui.your_data.own_index import OWN, OwnIndex

HEAVY_VIEWS = ("compare", "hood")
"""These take long to compute: one answer at a time, and visitors take turns."""
UNEXPECTED = "Something went wrong on the server and was logged. Other queries may still work."
_LOG = logging.getLogger(__name__)


class Answering:
    """Wires the components of the page, inside the `gr.Blocks` that is open."""

    def __init__(
        self,
        page: gr.Blocks,
        library: Library,
        asking: Asking,
        frame: Frame,
        tabs: gr.Tabs,
        views: Sequence[View],
        index_changes: Sequence[Any] = (),
        engine_changes: Sequence[Any] = (),
    ) -> None:
        """Takes all tabs, and the views that answer the query; the first one does by default.

        Args:
            index_changes: events after which another index is selected, apart from the visitor selecting one.
            engine_changes: events after which the same question may have another answer.
        """
        self._index_changes = index_changes
        self._engine_changes = engine_changes
        self._page = page
        self._library = library
        self.asking = asking
        self._frame = frame
        self._tabs = tabs
        self._tab_of = {str(tab.id): tab for tab in tabs.children}
        self.views = {view.key: view for view in views}
        self._first = views[0].key
        self._laid_out = library.default
        self.active = asking.active
        self.address = gr.Textbox(visible="hidden", elem_id="address")
        self.revisit_button = gr.Button("Go there", elem_id="revisit", visible="hidden")
        shown = [output for view in views for output in view.outputs]
        self.outputs = list(dict.fromkeys([*shown, self.address, self.active, asking.visit]))
        self.all_outputs = list(dict.fromkeys([*self.outputs, *asking.index_outputs, *frame.outputs]))
        self._wire()

    def _wire(self) -> None:
        asking = self.asking
        inputs = [self.active, asking.visit, *asking.inputs]
        # One event for everything that asks the same: Gradio then sends the next only after the last is answered.
        followed = gr.on(
            [asking.query.submit, asking.button.click, asking.follow.click, *asking.knobs.moved, *self._engine_changes],
            self.follow, inputs, self.outputs, trigger_mode="always_last", js=OF_OPEN_VIEW, **QUIET,
        )  # fmt: skip
        chosen = gr.on(
            [asking.index.input, *self._index_changes], self.choose_index, inputs, self.all_outputs,
            js=OF_OPEN_VIEW, **QUIET,
        )  # fmt: skip
        reset = asking.knobs.reset.click(self.reset, inputs, [*asking.knobs.inputs, *self.outputs], **QUIET)
        opened = [
            tab.select(partial(self.open_view, key), inputs, self.outputs, **QUIET) for key, tab in self._tab_of.items()
        ]
        arrived = self._page.load(self.arrive, inputs, [*self.all_outputs, self._tabs], **QUIET)
        # The page's script presses it when the visitor goes back or forward, to show what the address says.
        revisited = self.revisit_button.click(
            self.revisit, [self.address, *inputs], [*self.all_outputs, self._tabs],
            trigger_mode="always_last", js="(address, ...asked) => [window.location.search, ...asked]", **QUIET,
        )  # fmt: skip
        private: dict[str, Any] = {"queue": False, "api_visibility": "private"}
        followed.then(None, [self.address], js="(address) => window.pageAnswered(address)", **private)
        # An earlier answer may still be on its way and arrive later: asking again makes sure the right one is last.
        changed = [(arrived, "arrived"), (revisited, "revisited"), *((event, "if-changed") for event in opened)]
        for event, when in ((chosen, "always"), (reset, "always"), *changed):
            event.then(None, [self.address], js=f"(address) => window.pageAnswered(address, '{when}')", **private)
        for event in (arrived, revisited):  # Gradio then skips what comes next
            event.failure(None, js="() => window.pageFailed()", **private)

    def follow(self, active: str, visit: Visit, *asked: Any) -> Update:
        """Returns the answer to the text in the query box, or the empty view if there is none."""
        return self._guarded(active, lambda: self._answered(active, visit, asked))

    def open_view(self, key: str, active: str, visit: Visit, *asked: Any) -> Update:
        """Returns the view that was opened, with the answer to the query as it stands."""
        if key == active:
            return {self.active: key}  # the page arrived with it: its answer is there, or on its way
        return {self.active: key, **self.follow(key, visit, *asked)}

    def reset(self, active: str, visit: Visit, *asked: Any) -> Update:
        """Returns the settings that the index recommends, and the answer under them."""
        text, index, own, *knobs = asked
        try:
            values = list(values_of(searcher_of(self._library, index, own).defaults))
        except RetrievalError:
            values = knobs  # the answer says why the index cannot be opened
        answer = self.follow(active, visit, text, index, own, *values)
        return {**dict(zip(self.asking.knobs.inputs, values, strict=True)), **answer}

    def choose_index(self, active: str, visit: Visit, *asked: Any) -> Update:
        """Returns the page with another index and its settings, and the answer to the current query."""
        text, index, own, *_ = asked
        return self._guarded(active, lambda: self._over(active, visit, text, index, own, Address()))

    def arrive(self, request: gr.Request, active: str, visit: Visit, *asked: Any) -> Update:
        """Returns the page as its address asks for it."""
        wanted = read_address(dict(request.query_params))
        offered = index_choices(self._library, None)
        index = wanted.index if wanted.index in [name for _, name in offered] else self._library.default
        choices = gr.Dropdown(offered, value=index)
        if wanted == Address() and index == self._laid_out:
            # Nothing is asked for: the visitor may already be typing, and must not be interrupted.
            return {self.asking.index: choices}
        return {**self._at(wanted, index, None, visit), self.asking.index: choices}

    def revisit(self, address: str, active: str, visit: Visit, *asked: Any) -> Update:
        """Returns the page as an earlier address asks for it; one without an index means the visitor's own."""
        own = asked[2]
        wanted = read_address(dict(parse_qsl(str(address)[: 4 * MAX_QUERY_CHARS].removeprefix("?"))))
        names = [name for _, name in index_choices(self._library, own)]
        index = wanted.index if wanted.index in names else self._library.default
        if wanted.index is None and wanted != Address() and own is not None:
            index = OWN
        return {**self._at(wanted, index, own, visit), self.asking.index: index}

    def _at(self, wanted: Address, index: str, own: OwnIndex | None, visit: Visit) -> Update:
        """Returns the page with the query, the view and the settings that an address names, over an index."""
        view = wanted.view if wanted.view is not None and wanted.view in self._tab_of else self._first
        return {
            **self._guarded(view, lambda: self._over(view, visit, wanted.query, index, own, wanted)),
            self.asking.query: gr.Textbox(wanted.query),
            self.active: view,
            self._tabs: gr.Tabs(selected=view),
        }

    def _over(
        self, active: str, visit: Visit, text: str, index: str | None, own: OwnIndex | None, wanted: Address
    ) -> Update:
        searcher = searcher_of(self._library, index, own)
        settings = wanted.settings_over(searcher.defaults)
        update: Update = {**self._frame.on_index(searcher), **self.asking.on_index(searcher, settings)}
        for view in self.views.values():
            update.update(view.on_index(searcher))
        return {**update, **self.follow(active, visit, text, index, own, *values_of(settings))}

    def _answered(self, active: str, visit: Visit, asked: Sequence[Any]) -> Update:
        question = question_of(self._library, asked)
        active = active if active in self._tab_of else self._first
        address = address_of(
            question.text, question.index, active, question.settings, question.searcher.defaults, self._first
        )
        view = self.views.get(active)
        if view is None:
            return {self.address: address}
        if question.text.strip():
            make = partial(view.answer, question, visit)
        else:
            make = partial(view.empty, question.searcher)
        with timing(active):
            made = HEAVY.call(make) if active in HEAVY_VIEWS else make()
        return {self.address: address, **made}

    def _guarded(self, active: str, make: Callable[[], Update]) -> Update:
        """Returns what `make` returns, or a message instead of the answer; never an exception."""
        view = self.views.get(active) or self.views[self._first]
        try:
            with counting_failures():
                return make()
        except BundleError as error:
            # The name of what is missing may come from a visitor.
            is_unknown = isinstance(error, BundleMissingError)
            _LOG.warning("an index cannot be searched: %s", type(error).__name__ if is_unknown else error)
            return view.show(message("This index cannot be searched now", error_words(error), is_error=True))
        except QueryError as error:
            return view.show(message("No search was made", error_words(error)))
        except RetrievalError as error:
            return view.show(message("No search was made", error_words(error), is_error=True))
        except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
            _LOG.exception("an answer failed")
            return view.show(message("No search was made", UNEXPECTED, is_error=True))
