"""What the project itself measured, elsewhere: judged quality, and the full-size benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from retrieval.benchmark.figures.judged import JudgedFigures, JudgedRung, read_judged
from retrieval.benchmark.figures.reading import read_object
from retrieval.benchmark.figures.run import RunFigures
from retrieval.ui.benchmarks.claims import Column, claims_table, origin, run_cells
from retrieval.ui.benchmarks.evidence import gallery
from retrieval.ui.benchmarks.kept_plots import collection_name, kept_charts
from retrieval.ui.benchmarks.plots import run_charts
from retrieval.ui.markup import escaped, wide_table
from retrieval.ui.theme import ASSETS

_PUBLISHED = ASSETS / "benchmarks"
"""In the repository."""


@cache
def published_run() -> RunFigures | None:
    """Returns the figures of the project's own benchmark, None where they are missing."""
    run = read_object(_PUBLISHED / "packages.json")
    return None if run is None else RunFigures.from_json(run)


@cache
def published_sections() -> str:
    """Returns all that the project measured, as HTML."""
    return project_section(published_run()) + judged_section(read_judged(_PUBLISHED))


def judged_section(collections: Sequence[JudgedFigures]) -> str:
    """Returns the percent of nDCG@10 that each search keeps, by human judgment; empty without a collection."""
    if not collections:
        return ""
    heads = [
        f"{escaped(collection_name(each.name))}"
        f"{'' if each.queries is None else f'<small>{each.queries:,} queries</small>'}"
        for each in collections
    ]
    by_key = [{rung.key: rung for rung in each.rungs} for each in collections]
    keys = dict.fromkeys(key for rungs in by_key for key in rungs)
    rows = "".join(_row([rungs.get(key) for rungs in by_key]) for key in keys)
    confidence = next((each.confidence_percent for each in collections if each.confidence_percent), 95)
    model = next((each.model for each in collections if each.model), None)
    return (
        '<details class="bench fold" id="judged"><summary>What people judged</summary><p>How much of float32\'s '
        "nDCG@10 each search keeps, on collections where people judged which documents answer a question"
        f"{f', with {escaped(model)}' if model else ''}. "
        "This depends on the method and the model, not on the loaded index.</p>"
        f"{wide_table(['Search', 'Bytes per vector', *heads], rows, 'Judged quality', 'judged')}"
        f'<p class="source">Percent of float32, with the {confidence:g} % interval of a paired '
        "bootstrap: one that includes 100 shows no difference. Measured by <code>scripts/evaluate.py</code>.</p>"
        f"{gallery(list(kept_charts(collections)))}</details>"
    )


def _row(rungs: Sequence[JudgedRung | None]) -> str:
    known = next(rung for rung in rungs if rung is not None)
    disk = f" + {known.rescored_bytes:,} on disk" if known.rescored_bytes else ""
    cells = "".join(f"<td>{_cell(rung)}</td>" for rung in rungs)
    mark = ' class="ours"' if known.key == "ours" else ""
    return f'<tr{mark}><th scope="row">{escaped(known.label)}</th><td>{known.scanned_bytes:,}{disk}</td>{cells}</tr>'


def _cell(rung: JudgedRung | None) -> str:
    if rung is None:
        return "-"
    if rung.key == "float32" or rung.kept is None:
        return f"<strong>{rung.ndcg:.3f}</strong><small>nDCG@10</small>"
    kept = rung.kept
    interval = "" if kept.low is None or kept.high is None else f"<small>{kept.low:.1f} to {kept.high:.1f}</small>"
    return f"<strong>{kept.percent:.1f} %</strong>{interval}"


def project_section(run: RunFigures | None) -> str:
    """Returns the project's own benchmark, of another machine and index; empty if there is none."""
    if run is None:
        return ""
    size = f" at {run.rows:,} documents" if run.rows else ""
    return (
        f'<details class="bench fold" id="project"><summary>What the project measured{size}</summary>'
        f'<p class="note">On a different machine: {origin(run)}</p>'
        f"{claims_table([Column('The project', run_cells(run))], run.dim or 0)}{gallery(list(run_charts(run)))}"
        "</details>"
    )
