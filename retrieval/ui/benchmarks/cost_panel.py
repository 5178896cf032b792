"""The cost calculator: five numbers, and the answer that follows the typing."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from retrieval.evaluation.cost import ARTICLE_PRICE
from retrieval.ui.benchmarks.cost_table import article_table, cost_answer

_SIZES = {"1 million": 10**6, "100 million": 10**8, "250 million": 25 * 10**7, "1 billion": 10**9}
_DEFAULTS = (25 * 10**7, 384, ARTICLE_PRICE, 0.08, 0)
_HEAD = (
    '<section class="bench" id="cost"><h2>What it would cost</h2><p>By arithmetic, as in the article: the vectors '
    "alone, at $3.80 per GB of RAM and month (AWS x2gd), and $0.08 per GB of disk (AWS gp3).</p></section>"
)


def place_cost_panel() -> None:
    """Places the calculator in the layout that is being built, and wires it."""
    gr.HTML(_HEAD, apply_default_css=False)
    with gr.Row(elem_id="cost-sizes"):
        buttons = [(gr.Button(name, size="sm", min_width=80), size) for name, size in _SIZES.items()]
    with gr.Row(elem_id="cost-inputs"):
        labels = ("Documents", "Dimensions", "RAM, $ per GB", "Disk, $ per GB", "Index overhead, %")
        inputs = [
            gr.Number(value, label=label, min_width=120, elem_classes="cost-input")
            for label, value in zip(labels, _DEFAULTS, strict=True)
        ]
    answer = gr.HTML(cost_answer(*_DEFAULTS), elem_id="cost-answer", apply_default_css=False)
    gr.HTML(article_table(), apply_default_css=False)
    common: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    gr.on([each.input for each in inputs], cost_answer, inputs, answer, trigger_mode="always_last", **common)
    for button, size in buttons:
        button.click(partial(_with_size, size), inputs[1:], [inputs[0], answer], **common)


def _with_size(size: int, *others: object) -> tuple[int, str]:
    return size, cost_answer(size, *others)
