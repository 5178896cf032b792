"""The part of the view that measures vectors: the upload, how they are compared, and the measured frontier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from retrieval.errors import counted
from retrieval.evaluation.frontier.given import METRICS
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.frontier.panel import FrontierPanel
from retrieval.ui.markup import data_size, escaped
from retrieval.ui.views import Update
from retrieval.ui.your_data.session import Source


class VectorParts:
    """The step for vectors: the upload, and how its vectors are compared."""

    def __init__(self) -> None:
        """Places the components in the layout that is being built."""
        with gr.Column(elem_id="own-vectors", elem_classes="own-step", visible=False) as self.step:
            self.about = gr.HTML("", apply_default_css=False)
            with gr.Row(elem_id="own-vector-choices"):
                self.column = gr.Dropdown(
                    [], label="Vectors", elem_id="own-vector-column", visible=False, min_width=150
                )
                self.metric = gr.Radio(
                    [(each.capitalize(), each) for each in METRICS], value=METRICS[0], label="Compared by",
                    info="With cosine, vectors are normalized to length 1.", elem_id="own-metric", min_width=260,
                )  # fmt: skip
            with gr.Row(elem_id="own-vector-buttons"):
                self.measure = gr.Button(
                    "Measure the frontier", variant="primary", elem_id="own-measure-vectors", min_width=150
                )
                self.again = gr.Button("Bring something else", elem_id="own-vectors-again", min_width=150)

    @property
    def outputs(self) -> list[Any]:
        """Returns the components that `offered` and the steps give new values to."""
        return [self.step, self.about, self.column, self.again]

    def offered(self, source: Source, looked: Mapping[str, Any], limits: OwnLimits) -> Update:
        """Returns the description of the uploaded vectors."""
        columns = looked["vectors"]["columns"]
        return {
            self.about: about_vectors(source, looked["vectors"], limits),
            self.column: gr.Dropdown(columns, value=columns[0] if columns else None, visible=bool(columns)),
            self.again: gr.Button(visible="text" not in looked["guesses"]),
        }


def about_vectors(source: Source, vectors: Mapping[str, Any], limits: OwnLimits) -> str:
    """Returns what a file of vectors holds, or that a table has some, and how many of them are used."""
    most = f"the first {limits.max_rows:,} are measured"
    if vectors["count"] is None:
        return (
            f'<section class="own-preview"><h3>The vectors in {escaped(source.title)}</h3><p>They can be measured '
            f"directly, without a model: {most}.</p></section>"
        )
    count = vectors["count"]
    first = f" <strong>Only {most}.</strong>" if count > limits.max_rows else ""
    return (
        f'<section class="own-preview"><h3>{escaped(source.title)}</h3><p>{data_size(source.size_bytes)}, '
        f"{counted(count, 'vector')} of {vectors['dim']:,} dimensions, {escaped(vectors['kind'])}.{first} Some are "
        "held out as queries; each vector is named by its row number.</p></section>"
    )


class FrontierParts:
    """The part below the verdict: the button that measures, the frontier, and the report to download."""

    def __init__(self) -> None:
        """Places the components in the layout that is being built."""
        self.measure = gr.Button("Measure the frontier", elem_id="own-measure", scale=0, min_width=190)
        self.panel = FrontierPanel("own")
        with gr.Row(elem_id="own-take-along", visible=False) as self.take_along:
            self.report = gr.Button("Download the report", elem_id="own-report", min_width=150, scale=0)
            self.figures = gr.Button("Download the figures (JSON)", elem_id="own-figures", min_width=150, scale=0)
            self.download = gr.DownloadButton("Fetch the file", elem_id="own-report-file", elem_classes="unseen")

    @property
    def outputs(self) -> list[Any]:
        """Returns the components that the methods below update."""
        return [self.measure, self.take_along, *self.panel.outputs]

    def shown(self, update: Update) -> Update:
        """Returns the panel as `update` fills it, with the report below it."""
        return {**update, self.measure: gr.Button(visible=False), self.take_along: gr.Row(visible=True)}

    def hidden(self, *, can_measure: bool = False) -> Update:
        """Returns the place without a frontier, with the button if there is something to measure."""
        return {
            **self.panel.hidden(),
            self.measure: gr.Button(visible=can_measure),
            self.take_along: gr.Row(visible=False),
        }
