"""The frontier as charts, tables, a recommendation and a report."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import gradio as gr
import pytest

from retrieval.errors import QueryError
from retrieval.evaluation.frontier.points import Frontier, Interval, LeftOut, Point, Rescoring, SampleRecall
from retrieval.evaluation.frontier.recommend import Wish
from retrieval.ui.frontier.charts import dimensions_chart, oversampling_chart
from retrieval.ui.frontier.databases.advice import DATABASES
from retrieval.ui.frontier.panel import FrontierPanel, advise
from retrieval.ui.frontier.report import report
from retrieval.ui.frontier.tables import charts_html, tables_html
from retrieval.ui.frontier.values import frontier_values, wish_of
from retrieval.ui.markup import escaped
from tests.support import HOSTILE, in_loop

RAM = {"float32": 1536, "RaBitQ 1 bit": 56, "float-bits": 48, "bits": 48, "PQ": 48}
ALONE = {"float32": 1.0, "RaBitQ 1 bit": 0.69, "float-bits": 0.66, "bits": 0.54, "PQ": 0.65}


def points_of(scheme: str, dim: int) -> list[Point]:
    part = dim / 384

    def point(rescoring: Rescoring, oversampling: int, recall: float) -> Point:
        disk = {"none": 0, "int8": 384, "float32": 1536}[rescoring]
        reads = 10 * oversampling if disk else 0
        shares = Interval(recall, recall - 0.02, min(1.0, recall + 0.02))
        return Point(scheme, dim, rescoring, oversampling, shares, int(RAM[scheme] * part), disk, reads, 2.5)

    alone = ALONE[scheme] * part
    kinds: tuple[Rescoring, ...] = ("int8", "float32")
    rescored = [point(kind, times, 1 - (1 - alone) / times) for kind in kinds for times in (2, 4, 10, 20, 50, 100)]
    return [point("none", 1, alone), *(rescored if scheme != "float32" else [])]


FRONTIER = Frontier(
    num_vectors=950, num_given=1000, num_queries=50, held_out=True, dim=384, metric="cosine", k=10,
    points=tuple(point for scheme in RAM for dim in (384, 192) for point in points_of(scheme, dim)),
    left_out=(LeftOut("4 bits", 384, "the time <for> it was up"),),
    growth=tuple(SampleRecall(scheme, size, Interval(0.9, 0.8, 1.0)) for scheme in RAM for size in (59, 237, 950)),
    seconds=3.0,
)  # fmt: skip
MACHINE = {"cpu": "a processor", "cores": 2, "ram_bytes": 8_000_000_000, "os": "Linux"}


def test_the_chart_has_a_line_per_scheme_with_its_oversampling_and_the_frontier() -> None:
    chart = oversampling_chart(FRONTIER)
    assert len(chart.series) == len(RAM) + 1
    by_label = {series.label: series for series in chart.series}
    bits = by_label["sign bits, Hamming"]
    assert len(bits.points) == 7  # alone, and six oversamplings
    assert len({point.x for point in bits.points}) == 1
    assert "100x oversampling" in bits.points[-1].note
    best = by_label["the Pareto frontier"].points
    assert [(point.x, point.y) for point in best] == [(p.ram_bytes, p.recall.mean) for p in FRONTIER.pareto()]


def test_schemes_of_about_the_same_bytes_stand_apart_and_near_where_they_belong() -> None:
    chart = oversampling_chart(FRONTIER)
    places = sorted(series.points[0].x for series in chart.series[:-1])
    assert all(later >= 1.14 * sooner for sooner, later in pairwise(places))
    assert places[-1] == 1536
    assert all(30 < place < 80 for place in places[:-1])


def test_the_chart_of_dimensions_stands_at_the_true_bytes() -> None:
    lines = {series.label: series.points for series in dimensions_chart(FRONTIER).series}
    assert [(point.x, round(point.y, 2)) for point in lines["sign bits, Hamming"]] == [(24, 0.27), (48, 0.54)]


def test_the_tables_hold_every_scheme_its_interval_and_what_was_left_out() -> None:
    html = tables_html(FRONTIER)
    assert "0.540" in html
    assert "0.520 to 0.560" in html
    assert "5x" not in html  # only what was measured
    assert "the time &lt;for&gt; it was up" in html
    assert html.count("<summary>On the first 192 dimensions</summary>") == 1
    assert ">59<" in html
    assert ">237<" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_an_untrusted_file_name_is_shown_but_not_run(text: str) -> None:
    for html in (charts_html(FRONTIER, text), report(FRONTIER, Wish(), MACHINE, text)):
        assert escaped(text) in html
        assert escaped(text) == text or text not in html


class _Loaded(HTMLParser):
    """Gathers what a browser would fetch for a document."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name == "src" or (name == "href" and tag != "a")]


def test_the_report_needs_nothing_else_and_has_figures_machine_and_settings() -> None:
    html = report(FRONTIER, Wish(0.9, "ram", 5_000), MACHINE, "mine.npy")
    loaded = _Loaded()
    loaded.feed(html)
    assert loaded.addresses == []
    assert "url(" not in html
    assert "@import" not in html
    assert "a processor" in html
    assert "faiss-cpu" in html
    assert "CREATE INDEX" in html
    assert "prefers-color-scheme: dark" in html
    for name in set(re.findall(r"var\((--[\w-]+)", html)) - {"--c"}:
        assert f"{name}:" in html, name


def test_another_wish_is_answered_from_what_was_measured() -> None:
    low, high = advise(FRONTIER, 0.9, "ram", 5_000, 3.8), advise(FRONTIER, 0.99, "ram", 5_000, 3.8)
    assert low != high
    assert "None of the measured schemes" in advise(replace(FRONTIER, points=FRONTIER.points[-7:]), 0.999, "cpu", 9, 1)
    assert advise(None, 0.9, "ram", 5_000, 3.8) == ""


def test_every_database_has_a_mark_a_version_and_a_link_and_its_settings_can_be_copied() -> None:
    html = advise(FRONTIER, 0.9, "ram", 5_000, 3.8)
    assert html.count('<details class="database">') == len(DATABASES)
    assert html.count("run by our tests") == sum(each.was_run for each in DATABASES)
    assert html.count("from its documentation, not run here") == sum(not each.was_run for each in DATABASES)
    assert html.count("data-copy") == html.count("<code>")
    assert all(each.link in html and each.version in html for each in DATABASES)


def test_many_more_vectors_than_were_measured_come_with_a_caution() -> None:
    assert "Measured among 950 vectors" in advise(FRONTIER, 0.9, "ram", 1_000_000, 3.8)
    assert "Measured among" not in advise(FRONTIER, 0.9, "ram", 1_000, 3.8)


def test_rescoring_a_large_part_of_the_vectors_comes_with_a_caution() -> None:
    assert "of these vectors for each query" in advise(FRONTIER, 0.99, "ram", 1_000, 3.8)
    assert "of these vectors for each query" not in advise(FRONTIER, 0.9, "disk reads", 1_000, 3.8)


@pytest.mark.parametrize(
    "values",
    [
        (None, "ram", 10, 1.0),
        (float("nan"), "ram", 10, 1.0),
        (0.1, "ram", 10, 1.0),
        (0.9, "time", 10, 1.0),
        (0.9, "ram", 0, 1.0),
        (0.9, "ram", float("inf"), 1.0),
        (0.9, "ram", 10, -1),
        (0.9, "ram", 10, "free"),
        (0.9, ["ram"], 10, 1.0),
    ],
)
def test_a_wish_that_makes_no_sense_is_reported(values: tuple[Any, Any, Any, Any]) -> None:
    with pytest.raises(QueryError):
        wish_of(*values)
    assert "warn" in advise(FRONTIER, *values)


def test_a_program_gets_points_recommendation_and_settings() -> None:
    values = frontier_values(FRONTIER, Wish(0.9, "ram", 5_000))
    assert len(values["points"]) == len(FRONTIER.points)
    best = values["recommendation"]["best"]
    assert best["recall"]["mean"] >= 0.9
    assert best["total"]["ram_bytes"] == 5_000 * best["ram_bytes"]
    pgvector = next(each for each in values["databases"] if each["name"] == "pgvector")
    assert pgvector["was_run"]
    assert "binary_quantize" in pgvector["settings"]
    nothing = frontier_values(replace(FRONTIER, points=()), Wish(0.9))
    assert nothing["recommendation"]["best"] is None


def test_a_panel_shows_a_frontier_with_its_own_number_of_vectors() -> None:
    def make() -> FrontierPanel:
        with gr.Blocks(analytics_enabled=False):
            return FrontierPanel("some")

    panel = in_loop(make)
    shown = panel.shown(FRONTIER, "mine.npy", "a note")
    assert shown[panel.kept] is FRONTIER
    assert shown[panel.num_vectors] == 1000
    assert "1,000 vectors" in shown[panel.advice]
    assert "a note" in shown[panel.charts]
    assert shown.keys() <= set(panel.outputs)
    assert panel.hidden()[panel.kept] is None
