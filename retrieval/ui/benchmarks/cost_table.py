"""The cost calculator: five numbers, an answer that updates as you type, and the article's table."""

from __future__ import annotations

from functools import partial

import gradio as gr

from retrieval.errors import QueryError
from retrieval.evaluation.cost import ARTICLE_PRICE, BITS, CostPlan, dollars, gigabytes
from retrieval.ui.markup import escaped, wide_table
from retrieval.ui.theme import QUIET

_NAMES = {"float32": "float32", "float16": "float16", "int8": "int8", "binary": "sign bits"}
_ARTICLE_SIZES = {"100 million": 10**8, "250 million": 25 * 10**7, "1 billion": 10**9}
_ARTICLE_MODELS = {
    384: "all-MiniLM-L6-v2, bge-small-en-v1.5",
    768: "all-mpnet-base-v2, bge-base-en-v1.5",
    1024: "mxbai-embed-large-v1, bge-large-en-v1.5",
    1536: "OpenAI text-embedding-3-small",
    3072: "OpenAI text-embedding-3-large",
}
_SIZES = {"1 million": 10**6, "100 million": 10**8, "250 million": 25 * 10**7, "1 billion": 10**9}
_DEFAULTS = (25 * 10**7, 384, ARTICLE_PRICE, 0.08, 0)
_HEAD = (
    '<section class="bench" id="cost"><p>The vectors '
    "alone, at $3.80 per GB of RAM per month (AWS x2gd), and $0.08 per GB of disk (AWS gp3).</p></section>"
)


def cost_answer(documents: object, dimensions: object, price: object, disk_price: object, overhead: object) -> str:
    """Returns sizes and costs by precision, or what is wrong with a value."""
    try:
        plan = CostPlan.checked(documents, dimensions, price, disk_price, overhead)
    except QueryError as error:
        return f'<div class="cost"><p class="note" role="status">{escaped(error)}</p></div>'
    whole = plan.in_ram("float32")
    rows = "".join(_row(plan, name, whole.size_bytes) for name in BITS)
    return (
        '<div class="cost"><table class="costs"><caption class="unseen">Size and cost by precision</caption><thead><tr>'
        '<th scope="col">All in RAM</th><th scope="col">Size</th><td></td><th scope="col">Per month</th></tr></thead>'
        f"<tbody>{rows}</tbody>{_funnel(plan, whole.monthly)}</table></div>"
    )


def _row(plan: CostPlan, name: str, whole_bytes: int) -> str:
    held = plan.in_ram(name)
    share = 100 * held.size_bytes / whole_bytes
    return (
        f'<tr><th scope="row"><i class="dot {name}" aria-hidden="true"></i>{_NAMES[name]}</th>'
        f"<td>{gigabytes(held.size_bytes)}</td>"
        f'<td class="track" aria-hidden="true"><i class="{name}" style="width:{share:.2f}%"></i></td>'
        f"<td>{dollars(held.monthly)}</td></tr>"
    )


def _funnel(plan: CostPlan, whole_monthly: float) -> str:
    ram, disk = plan.funnel()
    together = ram.monthly + disk.monthly
    saved = f" <small>{whole_monthly / together:,.1f}x cheaper</small>" if together > 0 and whole_monthly > 0 else ""
    return (
        '<tfoot><tr><th scope="row"><i class="dot mixed" aria-hidden="true"></i>This project: bits in RAM, int8 on disk'
        f"</th><td>{gigabytes(ram.size_bytes)} RAM<br>{gigabytes(disk.size_bytes)} disk</td><td></td>"
        f"<td>{dollars(together)}{saved}</td></tr></tfoot>"
    )


def article_table() -> str:
    """Returns the article's own table, computed here."""
    rows = "".join(_article_row(dim, models) for dim, models in _ARTICLE_MODELS.items())
    table = wide_table(["Dimensions, float32", *_ARTICLE_SIZES], rows, "The article's cost table", "costs")
    return (
        '<details class="numbers"><summary>The article\'s table, computed with this calculator</summary>'
        f"{table}"
        '<p class="source">GB are 2<sup>30</sup> bytes, and figures are truncated, as in the article; it prints '
        "one size rounded, 715.26 GB. Its row for e5-base-v2 at 250 million has the float32 figures of 100 million, "
        "286.10 GB and $1,087; the right ones are 715.25 GB and $2,717.</p></details>"
    )


def _article_row(dim: int, models: str) -> str:
    cells = ""
    for documents in _ARTICLE_SIZES.values():
        held = CostPlan(documents, dim).in_ram("float32")
        cells += f"<td>{gigabytes(held.size_bytes)}<small>{dollars(held.monthly)}</small></td>"
    return f'<tr><th scope="row">{dim:,}<small>{escaped(models)}</small></th>{cells}</tr>'


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
    gr.on([each.input for each in inputs], cost_answer, inputs, answer, trigger_mode="always_last", **QUIET)
    for button, size in buttons:
        button.click(partial(_with_size, size), inputs[1:], [inputs[0], answer], **QUIET)


def _with_size(size: int, *others: object) -> tuple[int, str]:
    return size, cost_answer(size, *others)
