"""The components of the view Your data, and which of them are shown in which step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.markup import message
from retrieval.ui.quick_import import without_stub
from retrieval.ui.views import Update
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.session import Source
from retrieval.ui.your_data.vectors import FrontierParts, VectorParts

_POLL_S = 0.5
_NONE = ("none", "")
_ROLES = (
    ("text", "Text", "Searched by meaning."),
    ("body", "Body", "Shown, but not searched."),
    ("url", "Link", "The link of a hit."),
    ("group", "Group", "Same value: one hit."),
    ("quality", "Quality", "Orders equal scores."),
)
"""The columns to choose: role, label and what it is for."""


with without_stub():

    class UploadedFile(gr.File):  # type: ignore[misc]
        """An uploaded file, as a path for its handler: `gr.File` makes an empty file for each, and leaves it there."""

        is_template = True  # to the browser it is a plain file

        def preprocess(self, payload: Any) -> str | None:
            """Returns the path of the upload, None if it was removed again."""
            return None if payload is None else str(payload.path)


class OwnLayout:
    """The steps, shown one at a time: upload, choose, wait, verdict."""

    def __init__(self, limits: OwnLimits) -> None:
        """Places the components in the layout that is being built; the first step is shown."""
        gr.HTML(own_panels.promise(), apply_default_css=False)
        self.message = gr.HTML("", elem_id="own-message", apply_default_css=False)
        self._place_bring(limits)
        self._place_choose(limits)
        self.vectors = VectorParts()
        with gr.Column(elem_id="own-building", elem_classes="own-step", visible=False) as self.building:
            self.progress = gr.HTML("", apply_default_css=False)
            self.cancel = gr.Button("Cancel", elem_id="own-cancel", scale=0, min_width=120)
        with gr.Column(elem_id="own-done", elem_classes="own-step", visible=False) as self.done:
            self.verdict = gr.HTML("", apply_default_css=False)
            self.frontier = FrontierParts()
            self.another = gr.Button("Use other data", elem_id="own-another", scale=0, min_width=150)
        self._place_mine()
        self.timer = gr.Timer(_POLL_S, active=False)
        self.index_chosen = gr.Textbox("", visible="hidden", elem_id="own-chosen")
        """Hidden: changes when a visitor's index was added or deleted."""

    def _place_bring(self, limits: OwnLimits) -> None:
        with gr.Column(elem_id="own-bring", elem_classes="own-step") as self.bring:
            gr.HTML(own_panels.introduction(limits), apply_default_css=False)
            with gr.Row(elem_id="own-ways"):
                with gr.Column(min_width=260):
                    self.file = UploadedFile(label="Your file", elem_id="own-file", file_count="single", height=187)
                    self.use_sample = gr.Button("Try it with a sample", elem_id="own-sample", min_width=150)
                    # The page's script presses it when a file is too large to be sent at all.
                    self.refused = gr.Button("Refuse the file", elem_id="own-refused", visible="hidden")
                with gr.Column(min_width=260):
                    self.lines = gr.Textbox(
                        label="Or paste texts, one per line", elem_id="own-lines", lines=7, max_lines=7,
                        placeholder="How do I sort a list?\nRead a file line by line\n…",
                    )  # fmt: skip
                    self.use_lines = gr.Button("Use the pasted lines", elem_id="own-use-lines", min_width=150)

    def _place_choose(self, limits: OwnLimits) -> None:
        with gr.Column(elem_id="own-choose", elem_classes="own-step", visible=False) as self.choose:
            self.preview = gr.HTML("", apply_default_css=False)
            with gr.Row(elem_id="own-roles"):
                self.roles = {
                    role: gr.Dropdown(
                        label=label, info=info, elem_id=f"own-{role}", choices=[], interactive=True, min_width=150
                    )
                    for role, label, info in _ROLES
                }
                self.rows = gr.Number(
                    limits.max_rows, label="Maximum rows", info="The first rows are used.", elem_id="own-rows",
                    minimum=1, maximum=limits.max_rows, precision=0, min_width=110,
                )  # fmt: skip
            with gr.Row(elem_id="own-choose-buttons"):
                self.build = gr.Button("Build the index", variant="primary", elem_id="own-build", min_width=150)
                self.again = gr.Button("Use another file", elem_id="own-again", min_width=150)

    def _place_mine(self) -> None:
        """Places what can be done with the finished index, in any step of the next one."""
        with gr.Row(elem_id="own-mine", visible=False) as self.mine:
            self.search = gr.Button("Search your index", variant="primary", elem_id="own-search", min_width=150)
            self.compare = gr.Button("Compare it with float32", elem_id="own-compare", min_width=150)
            self.zip = gr.Button("Download your index", elem_id="own-zip", min_width=150)
            self.delete = gr.Button("Delete your index", elem_id="own-delete", min_width=150)
            self.download = gr.DownloadButton("Fetch the file", elem_id="own-download", elem_classes="unseen")

    @property
    def outputs(self) -> list[Any]:
        """Returns the components that the methods below update."""
        return [
            *(self.message, self.bring, self.file, self.lines, self.choose, self.preview, *self.roles.values()),
            *(self.rows, self.building, self.progress, self.done, self.verdict, self.mine, self.timer),
            *(*self.vectors.outputs, *self.frontier.outputs),
        ]

    def unchanged(self) -> Update:
        """Returns an update of nothing; Gradio treats an empty one as a mistake."""
        return {self.message: gr.skip()}

    def to_message(self, message: str) -> Update:
        """Returns the step as it is, with a message above it."""
        return {self.message: message}

    def to_start(self, message: str) -> Update:
        """Returns the first step, with a message above it."""
        return {**self._step(self.bring), **self.frontier.hidden(), self.message: message, self.file: None}

    def to_looking(self, message: str) -> Update:
        """Returns the note that something was uploaded; the boxes are empty again."""
        return {self.message: message, self.file: None, self.lines: ""}

    def to_choose(self, source: Source, looked: Mapping[str, Any], limits: OwnLimits) -> Update:
        """Returns the choice of columns, with the guesses chosen, or of what to do with vectors."""
        vectors = self.vectors.offered(source, looked, limits) if looked["vectors"] else {}
        if vectors and "text" not in looked["guesses"]:
            return {**self._step(self.vectors.step), **vectors, self.message: ""}
        columns, guesses = looked["columns"], looked["guesses"]
        optional = [_NONE, *((name, name) for name in columns)]
        most = min(limits.max_rows, looked["num_rows"] or limits.max_rows)
        trouble = message("Choose a text column", looked["problem"]) if looked["problem"] else ""
        return {
            **self._step(self.choose, *([self.vectors.step] if vectors else [])),
            **vectors,
            self.message: trouble,
            self.preview: own_panels.preview(source.title, source.size_bytes, looked, limits),
            **{chosen: gr.Dropdown(optional, value=guesses.get(role, "")) for role, chosen in self.roles.items()},
            self.roles["text"]: gr.Dropdown(columns, value=guesses.get("text")),
            self.rows: gr.Number(most, maximum=most),
        }

    def to_choose_again(self, message: str, looked: Mapping[str, Any]) -> Update:
        """Returns to the choices as the visitor left them."""
        has_vectors, has_text = bool(looked.get("vectors")), "text" in looked.get("guesses", {})
        steps = [self.vectors.step] if has_vectors else []
        if has_text or not has_vectors:
            steps.append(self.choose)
        return {**self._step(*steps), self.message: message}

    def to_building(self, progress: str) -> Update:
        """Returns the progress of a job, which is polled from now on."""
        return {
            **self._step(self.building),
            self.message: "",
            self.progress: progress,
            self.timer: gr.Timer(active=True),
        }

    def to_verdict(self, verdict: str, *, can_measure: bool) -> Update:
        """Returns the last step."""
        hidden = self.frontier.hidden(can_measure=can_measure)
        return {**self._step(self.done), **hidden, self.message: "", self.verdict: verdict}

    def to_frontier(self, update: Update, *, has_verdict: bool) -> Update:
        """Returns the last step with a measured frontier, below the verdict if there is one on the same data."""
        verdict = {} if has_verdict else {self.verdict: ""}
        return {**self._step(self.done), **verdict, **self.frontier.shown(update), self.message: ""}

    def to_done(self, message: str) -> Update:
        """Returns the last step as the visitor left it, with a message above it."""
        return {**self._step(self.done), self.message: message}

    def _step(self, *seen: gr.Column) -> Update:
        steps = (self.bring, self.choose, self.vectors.step, self.building, self.done)
        return {**{step: gr.Column(visible=step in seen) for step in steps}, self.timer: gr.Timer(active=False)}
