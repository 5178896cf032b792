"""What is shown of one index: the table of claims, the plots, and how its settings were chosen."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.benchmark.figures.run import RunFigures
from retrieval.bundle.manifest import Manifest
from retrieval.bundle.tuning import Tuning
from retrieval.ui.benchmarks.charts import Chart, figure
from retrieval.ui.benchmarks.claims import Column, build_cells, claims_table, memory_cells, origin, run_cells
from retrieval.ui.benchmarks.kept_plots import tuning_chart
from retrieval.ui.benchmarks.plots import run_charts
from retrieval.ui.markup import escaped

COMMAND = ".venv/bin/python scripts/benchmark.py --index DIR"


def claims_section(
    manifest: Manifest, kept: RunFigures | None, own: RunFigures | None, project: RunFigures | None = None
) -> str:
    """Returns the claims next to what was measured.

    Args:
        manifest: that of the index.
        kept: a run on this index that is saved with it.
        own: what the visitor measured.
        project: what the project measured; shown if it is for the same texts and model.
    """
    columns, told = [], []
    if project is not None and kept is None and project.is_of(manifest):
        columns.append(Column("The project, same texts", run_cells(project)))
        told.append(f"<p>The project measured the same texts on another machine, {origin(project)}</p>")
    if kept is not None:
        columns.append(Column("This index", {**run_cells(kept), **memory_cells(manifest)}))
        told.append(f"<p>This index was measured {origin(kept)}</p>")
    if own is not None:
        columns.append(Column("Measured by you", {**run_cells(own), **memory_cells(manifest)}))
    if not columns:
        columns.append(Column("This index", {**memory_cells(manifest), **build_cells(manifest.tuning)}))
    if not told and own is None:
        told.append(
            '<p class="unmeasured">The speed of this index has not been measured yet. The button below measures it in '
            f"less than a minute; <code>{COMMAND}</code> measures everything.</p>"
        )
    title = escaped(manifest.corpus.title)
    return (
        '<section class="bench" id="claims"><h2>The article\'s claims, and what was measured</h2>'
        f'<p class="lead">The article reports averages over its own models and data. What quantization costs depends '
        f"on yours, so here it is measured on the loaded index: <b>{title}</b>, "
        f"{manifest.distinct_text_count:,} vectors of {manifest.dim:,} dimensions.</p>"
        f"{''.join(told)}{claims_table(columns, manifest.dim)}</section>"
    )


def plots_section(manifest: Manifest, kept: RunFigures | None) -> str:
    """Returns the plots of the saved run, and the curve by which the settings were chosen; empty with neither."""
    charts = list(run_charts(kept)) if kept is not None else []
    tuning = manifest.tuning
    parts = []
    if charts:
        parts.append(_fold("Measurements of this index, as plots", gallery(charts)))
    if tuning is not None:
        words = _tuning_words(tuning)
        parts.append(_fold("Where the settings of this index come from", words + gallery([tuning_chart(tuning)])))
    return f'<section id="plots">{"".join(parts)}</section>' if parts else ""


def _fold(title: str, html: str) -> str:
    return f'<details class="bench fold"><summary>{title}</summary>{html}</details>'


def gallery(charts: Sequence[Chart]) -> str:
    """Returns charts, side by side if there is room."""
    drawn = "".join(figure(chart) for chart in charts)
    return f'<div class="charts">{drawn}</div>' if drawn else ""


def _tuning_words(tuning: Tuning) -> str:
    reached = "" if tuning.reached else ", which no setting reached"
    return (
        f"<p>{tuning.num_candidates:,} candidates and a rescore multiplier of {tuning.rescore_multiplier:,}: chosen "
        f"by the build on this corpus. {tuning.sampled_queries:,} of its texts were used as queries, each left out "
        f"of its own results. The setting finds {100 * tuning.reached_share:.1f} % of what rescoring all int8 vectors "
        f"would; {100 * tuning.target_share:g} % was the target{reached}.</p>"
    )
