"""The Benchmarks view as text: what is shown of figures, of their absence, and of figures that are not ours."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from retrieval.benchmark.figures.judged import judged_collections
from retrieval.benchmark.figures.run import RunFigures
from retrieval.bundle.manifest import Manifest
from retrieval.bundle.tuning import Tuning
from retrieval.ui.benchmarks.charts import Axis, Chart, Point, Series, figure
from retrieval.ui.benchmarks.claims import CLAIMS
from retrieval.ui.benchmarks.cost_table import article_table, cost_answer
from retrieval.ui.benchmarks.evidence import claims_section, plots_section
from retrieval.ui.benchmarks.kept_plots import collection_name, tuning_chart
from retrieval.ui.benchmarks.plots import run_charts
from retrieval.ui.benchmarks.quick_panel import offer, result, under_way
from retrieval.ui.benchmarks.scales import linear_scale, log_scale, short_number
from retrieval.ui.benchmarks.standing import judged_section, project_section
from tests.benchmark_json import HOSTILE, JUDGED, RUN, TUNED, spoiled
from tests.conftest import Build, random_texts

WHOLE = RunFigures.from_json(RUN)


@pytest.fixture
def manifest(build: Build) -> Manifest:
    return build(random_texts(30)).manifest


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_claim_of_the_article_is_there_with_its_source(manifest: Manifest) -> None:
    html = claims_section(manifest, None, None)
    for figures in ("3.66x", "2.99x to 4.80x", "24.76x", "15.05x to 45.80x", "90.79 %", "93.79 %", "92.53 %", "99 %"):
        assert figures in html
    assert "https://huggingface.co/blog/embedding-quantization" in html
    assert all(claim.why.endswith(".") for claim in CLAIMS)


def test_an_index_that_was_not_measured_says_so_and_offers_to(manifest: Manifest) -> None:
    html = claims_section(manifest, None, None)
    assert "scripts/benchmark.py" in html
    assert html.count('class="none"') == 2  # speeds: sizes need no measuring, and recall the build has measured
    usual = replace(manifest, search={"num_candidates": 1000, "rescore_multiplier": 20, "source": "default"})
    assert claims_section(usual, None, None).count('class="none"') == len(CLAIMS) - 2
    assert plots_section(usual, None) == ""


def test_figures_of_the_build_are_next_to_the_claims(manifest: Manifest) -> None:
    measured = replace(manifest, search=TUNED)
    text = text_of(claims_section(measured, None, None))
    for key in ("int8_all", "bits", "chosen"):
        assert f"{TUNED['recall'][key]:.3f} recall@10, {TUNED['sampled_queries']:,} of its texts" in text


def test_a_run_of_the_project_on_the_same_texts_comes_first_with_its_machine(manifest: Manifest) -> None:
    about = {
        "rows": manifest.row_count, "distinct_texts": manifest.distinct_text_count, "dim": manifest.dim,
        "model": manifest.model_id,
    }  # fmt: skip
    same = RunFigures.from_json({**RUN, "index": {**RUN["index"], **about}})
    html = claims_section(manifest, None, None, same)
    assert 'class="none"' not in html
    assert "The project, same texts" in html
    assert "on A processor, 2 cores" in html
    assert "The project, same texts" not in claims_section(manifest, WHOLE, None, same)  # its own run is better
    assert "The project, same texts" not in claims_section(manifest, None, None, WHOLE)  # other texts


def test_measured_figures_are_next_to_the_claim(manifest: Manifest) -> None:
    html = claims_section(manifest, WHOLE, None)
    rows = {row.split("</th>")[0].split("</i>")[-1]: text_of(row) for row in html.split("<tr>")[2:]}
    assert "22.20x 11.00x to 33.00x" in rows["Exact scan of sign bits, times faster than float32"]
    assert "0.993 recall@10, questions" in rows["int8, rescored"]
    assert "0.740 codes x codes" in rows["int8 over all vectors, not rescored"]
    assert "2026-11-24 21:04 UTC, on A processor, 2 cores, 2 threads" in html
    assert "40 questions" in html


def test_figures_of_the_visitor_have_their_own_column(manifest: Manifest) -> None:
    own = RunFigures.from_json({**RUN, "parts": {"quick": RUN["parts"]["quick"]}})
    html = claims_section(manifest, WHOLE, own)
    assert "Measured by you" in html
    assert "25.00x" in html
    assert "Measured by you" not in claims_section(manifest, WHOLE, None)


def test_times_measured_during_other_work_are_marked(manifest: Manifest) -> None:
    busy = RunFigures.from_json({**RUN, "load_average": 9.5})
    assert "(load 9.5 on 2 cores)" in claims_section(manifest, busy, None)


def test_a_run_gives_all_charts() -> None:
    titles = [chart.title for chart in run_charts(WHOLE)]
    assert titles == [
        "Recall against latency: questions", "Recall against memory: questions", "Growth: time", "Growth: bytes",
    ]  # fmt: skip


def test_the_chosen_setting_is_marked_in_the_tuning_chart(manifest: Manifest) -> None:
    html = plots_section(replace(manifest, search=TUNED), None)
    assert "chosen by the build on this corpus" in html
    assert "99.3 % of what rescoring all int8 vectors would; 99 % was the target." in html
    chosen = tuning_chart(Tuning.from_json(TUNED)).series[-1]
    assert chosen.label == "chosen for this index"
    assert [(each.x, round(each.y, 2)) for each in chosen.points] == [(100, 99.34)]


def test_a_chart_is_well_formed_named_and_within_its_edges() -> None:
    for chart in run_charts(WHOLE):
        html = figure(chart)
        svg = ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
        assert svg.get("role") == "img"
        assert chart.title in (svg.get("aria-label") or "")
        for mark in svg.iterfind(".//g[@transform]"):
            across, down = (float(each) for each in re.findall(r"[\d.]+", mark.get("transform") or ""))
            assert 0 <= across <= 460
            assert 0 <= down <= 300
        numbers = sum(len(series.points) for series in chart.series)
        assert html.count('<tr><th scope="row">') == numbers  # the table has every point


def test_a_chart_without_a_point_is_not_drawn() -> None:
    assert figure(Chart("t", Axis("x"), Axis("y"), (Series("s", "int8", ()),))) == ""


@pytest.mark.parametrize("values", [[1.0], [0.0], [1, 1], [-5, 5], [1e-12, 1e18], [0.5, 0.99]])
def test_a_linear_scale_spans_its_values(values: list[float]) -> None:
    scale = linear_scale(values)
    assert scale.low <= min(values)
    assert max(values) <= scale.high
    assert 2 <= len(scale.ticks) <= 8
    assert all(0 <= scale.place(value) <= 1 for value in values)


@pytest.mark.parametrize("values", [[1.0], [1e-12, 1e18], [48, 1536], [0.1, 0.2]])
def test_a_logarithmic_scale_spans_its_values(values: list[float]) -> None:
    scale = log_scale(values)
    assert scale.low < min(values)
    assert max(values) < scale.high
    assert len(scale.ticks) <= 6


@pytest.mark.parametrize("values", [[76.0, 100.3], [89.0, 101.2], [5.0, 5.0], [-3, 0.4]])
def test_an_axis_ends_where_its_values_end(values: list[float]) -> None:
    scale, spread = linear_scale(values), max(values) - min(values) or max(map(abs, values))
    assert scale.high <= max(values) + 0.1 * spread
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


def test_recall_has_no_tick_above_one() -> None:
    assert max(linear_scale([0.65, 0.99], 1.0).ticks) == 1.0


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "0.05"), (1, "1"), (2000, "2,000"), (20_000, "20k"), (593_891, "594k"), (2e6, "2M")]
)
def test_numbers_at_the_edge_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


def test_a_measurement_shows_its_numbers_and_what_is_missing() -> None:
    run = WHOLE
    assert run.quick is not None
    text = text_of(result(run, run.quick))
    for told in ("50.0 ms (100)", "25.00x", "24.76x", "0.987", "It took 12 s.", "100", "texts of the corpus"):
        assert told in text
    assert "Not measured: cold reads, because nothing evicts. To get it, run benchmark.py." in text


def test_the_bar_stays_between_nothing_and_all() -> None:
    assert 'aria-valuenow="0"' in under_way(-1, "x")
    assert 'aria-valuenow="100"' in under_way(7, "<b>")
    assert "&lt;b&gt;" in under_way(0.5, "<b>")


def test_without_baseline_or_model_the_offer_says_what_is_missing(build: Build) -> None:
    html = offer(build(random_texts(20), baseline=False).manifest, can_encode=False)
    assert "--no-baseline" in html
    assert "no model for texts" in html


def test_judged_quality_names_its_collections_and_intervals() -> None:
    text = text_of(judged_section(judged_collections(JUDGED)))
    assert "medicine 30 queries" in text
    assert collection_name("cran") == "aeronautics abstracts"
    assert collection_name("cran among 117,581") == "aeronautics abstracts among 117,581 texts"
    assert collection_name("medicine") == "medicine"
    assert "99.2 % 98.2 to 100.2" in text
    assert "not on the loaded index" in text


def test_the_projects_run_is_labelled_as_of_another_machine() -> None:
    html = project_section(WHOLE)
    assert "What the project measured at 1,000 documents" in html
    assert "a different machine" in html


def test_figures_missing_from_the_repository_are_not_on_the_page() -> None:
    assert judged_section([]) == project_section(None) == ""


def test_no_spoiled_figure_breaks_the_page_or_runs_in_it(manifest: Manifest) -> None:
    for figures in spoiled(RUN):
        run = RunFigures.from_json(figures)
        html = claims_section(manifest, run, run) + plots_section(manifest, run) + project_section(run)
        html += result(run, run.quick) if run.quick else ""
        assert "<script" not in html
        assert "nan" not in html.replace("NaN", "nan").split()
    for collections in spoiled(JUDGED):
        assert "<script" not in judged_section(judged_collections(collections))


def test_the_calculator_answers_with_the_articles_figures() -> None:
    text = text_of(cost_answer(250_000_000, 384, 3.8, 0.08, 0))
    assert "float32 357.62 GB $1,358" in text
    assert "int8 89.40 GB $339" in text
    assert "sign bits 11.17 GB $42.46" in text
    assert "11.17 GB RAM 89.40 GB disk $49.62" in text


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", range(5))
def test_the_calculator_answers_any_input(value: Any, place: int) -> None:
    values: list[Any] = [1000, 384, 3.8, 0.08, 0]
    values[place] = value
    html = cost_answer(*values)
    assert "<script" not in html
    assert ("GB" in html) or ("is needed" in html) or ("enter a" in html)


def test_the_articles_table_is_all_there() -> None:
    text = text_of(article_table())
    for cell in ("143.05 GB $543", "2,861.02 GB $10,871", "11,444.09 GB $43,487"):
        assert cell in text


def test_notes_and_labels_of_a_chart_are_text() -> None:
    chart = Chart("<i>", Axis("<b>"), Axis("<u>"), (Series("<s>", "<q>", (Point(1, 1, "<em>"),)),), "<p>")
    html = figure(chart)
    assert all(tag not in html for tag in ("<i>", "<b>", "<u>", "<s>", "<q>", "<em>", "<p>"))
