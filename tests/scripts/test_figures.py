"""The README's tables and plots, made from what was measured."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from retrieval.benchmark.figures.run import RunFigures
from retrieval.ui.benchmarks.charts import Axis, Chart, Point, Series
from retrieval.ui.benchmarks.plots import latency_charts
from scripts import figures
from scripts.report.load_tables import LOAD_TABLES
from scripts.report.markdown import FigureMissingError
from scripts.report.markers import MarkerError, replaced
from scripts.report.plots import picture
from scripts.report.quality_tables import judged, schemes
from scripts.report.tables import TABLES, report
from tests.benchmark_json import RUN

MS = {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "cpu_ms": 4.0, "samples": 5}
STAGE_NAMES = ("encode", "binarize", "hamming", "asymmetric", "rescore", "documents", "without_encode", "total")
SPREAD = {"min": 1.0, "mean": 2.0, "max": 3.0, "batches": 4}
SVG = "{http://www.w3.org/2000/svg}"
KERNELS = ("float32_faiss", "float32_numpy", "int8", "binary")


def a_path(recall: float) -> dict[str, Any]:
    return {"stages": dict.fromkeys(STAGE_NAMES, MS), "cpu_ms": 5.0, "samples": 5, "recall": recall}


def a_run() -> dict[str, Any]:
    """The shape of a run, with values that are easy to find again. Only tests look at it."""
    point = {"num_candidates": 1000, "int8_rows_read": 200, "recall": 0.987, **MS}
    size = {
        "documents": 10_000, "real_vectors": 10_000, "made_vectors": 0, "stages": {"hamming": MS}, "vector_part": MS,
        "recall": 0.99, "codes_bytes": 480_000, "files": {"int8.usearch": 4_000_000, "embeddings.npy": 15_000_000},
    }  # fmt: skip
    items = {
        name: {"bytes": 1_000_000, "kind": "file", "is": name}
        for name in ("int8_file", "int8_resident", "documents_file", "documents_resident", "encoder", "rss")
    }
    files = {"int8": {"pages": 100, "touched_a_query": 9.0}, "documents": {"pages": 50, "touched_a_query": 3.0}}
    state = {"stages": dict.fromkeys(STAGE_NAMES, MS), "cpu_ms": 1.0, "read_bytes": 5e6}
    start = dict.fromkeys(("open", "first_query", "later_queries"), MS)
    return {
        "taken_at": "2026-01-01 00:00 UTC", "threads": 2, "load_average": 0.1,
        "query_sets": {"people": {"count": 3, "sha256": "0"}},
        "machine": {"cpu": "a cpu", "cores": 2, "ram_bytes": 2**34, "os": "an os"},
        "index": {"title": "a title", "rows": 20_000, "dim": 384, "model": "a model"},
        "parts": {
            "opening": {"open": MS, "read_codes_once": MS, "codes_bytes": 960_000},
            "scans": {
                "timings": {name: {"1": MS, "10": MS} for name in KERNELS},
                "ratios": {
                    base: {name: {"1": SPREAD, "10": SPREAD, "all": SPREAD} for name in KERNELS}
                    for base in ("float32_fastest", "float32_faiss")
                },
                "recall": {name: {"people": 0.9} for name in (*KERNELS, "int8_dequantized")},
            },
            "paths": {
                "sets": {
                    "people": {
                        "ours": a_path(0.987), "reference": a_path(0.55), "reference_4x": a_path(0.89),
                        "reference_over_ours": 2.5, "reference_4x_over_ours": 2.6,
                    }
                },
                "rss_bytes": {"ours": 1_000_000, "reference": 2_000_000},
                "settings": {"top_k": 10, "rescore_multiplier": 20},
            },
            "sweep": {
                "sets": {"people": {"points": [point], "frontier": [point], "raw_codes": {"1000": 0.9}}},
                "default": {"num_candidates": 1000, "int8_rows": 200},
            },
            "cold": {
                "queries": {"warm": state, "cold": state, "note": None, "files": files},
                "start": {"warm": start, "cold": None, "note": "not measured: a reason"},
            },
            "memory": {
                "moments": {
                    "before": {"rss_bytes": 1}, "opened": {"rss_bytes": 2}, "after_first_query": {"rss_bytes": 3},
                    "after_all_queries": {"rss_bytes": 4, "items": items},
                },
                "by_arithmetic": {"float32": 30_720_000}, "codes_bytes": 960_000, "queries": 3,
            },
            "growth": {
                "sizes": [
                    size, {**size, "documents": 20_000},
                    {"documents": 2_000_000, "made_vectors": 9, "not_measured": "no room"},
                ],
                "made_vectors_are": "real ones plus noise",
            },
        },
    }  # fmt: skip


def a_judged_file(name: str = "med") -> dict[str, Any]:
    quality = {"mean": 0.7, "kept": {"percent": 99.5, "low": 98.0, "high": 101.0}}
    rung = {"label": "a search", "scanned_bytes": 48, "rescored_bytes": 384, "recall": 0.9, "ndcg": quality}
    curve = [{"multiplier": number, "ndcg": quality} for number in (1, 4, 10)]
    collection = {
        "collection": name, "distractors": None, "counts": {"scored_queries": 30},
        "bootstrap": {"resamples": 5000, "seed": 0, "confidence_percent": 95},
        "rungs": [{**rung, "key": "float32"}, {**rung, "key": "ours"}],
        "curves": {"binary_depth_10": curve, "int8_first_raw_codes": curve},
    }  # fmt: skip
    return {"collections": [collection, {**collection, "distractors": {"planted": 1000}}]}


def a_load_file() -> dict[str, Any]:
    met = {**MS, "per_second": 61.5, "busy": 0, "errors": 0, "cross_talk": 0}
    rss = {"rss_before_bytes": 400e6, "rss_after_bytes": 410e6}
    samples = [
        {"searches": number, "rss_bytes": 400e6 + number, "threads": 31, "handles": 42, "temporary_files": 0}
        for number in (0, 10, 50, 100)
    ]
    figures = {
        "routes": [{"route": "/api/search", "visitors": 64, "cpu_ms": 9.0, **met, **rss}],
        "mix": [{"kind": "upload", "visitors": 16, "doing": 1, **met, **rss}],
        "beside": [{"beside": None, **met}, {"beside": "hood", **met, "p95_ms": 3.0}],
        "growth": {"searches": 100, "samples": samples},
    }
    about = {
        "taken_at": "2026-01-01 00:00 UTC", "machine": {"cpu": "a cpu", "cores": 2}, "load_average": 0.1,
        "documents": 20_000, "seconds": 8.0,
    }  # fmt: skip
    return {part: {**about, "figures": each} for part, each in figures.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / figures.RUN_FILE).write_text(json.dumps(a_run()))
    (tmp_path / figures.SCHEMES_FILE).write_text(json.dumps(a_schemes_file()))
    (tmp_path / figures.LOAD_FILE).write_text(json.dumps(a_load_file()))
    (tmp_path / "judged.json").write_text(json.dumps(a_judged_file()))
    markers = [
        f"<!-- figures: {name} -->\na stale line\n<!-- /figures -->"
        for name in (*TABLES, *LOAD_TABLES, "judged", "schemes")
        if name not in ("headline", "peers", "quick")
    ]
    (tmp_path / "README.md").write_text("# Title\n\n" + "\n\ntext\n\n".join(markers) + "\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> int:
    return figures.main(["--benchmarks", str(folder), "--text", str(folder / "README.md"), *arguments])


class TestMarkers:
    def test_only_what_stands_between_markers_is_replaced(self) -> None:
        text = "a\n<!-- figures: x -->\na stale line\nold\n<!-- /figures -->\nb\n"
        assert replaced(text, str.upper) == "a\n<!-- figures: x -->\nX\n<!-- /figures -->\nb\n"

    def test_replacing_twice_changes_nothing(self) -> None:
        once = replaced("<!-- figures: x -->\n<!-- /figures -->\n", lambda name: "| a |\n| b |")
        assert replaced(once, lambda name: "| a |\n| b |") == once

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("no marker at all\n", "no marker"),
            ("<!-- figures: x -->\ntable\n", "does not end"),
            ("table\n<!-- /figures -->\n", "is missing"),
            ("<!-- figures: x -->\n<!-- figures: y -->\n<!-- /figures -->\n", "before x has ended"),
        ],
    )
    def test_a_missing_marker_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(MarkerError, match=message):
            replaced(text, str.upper)


class TestTables:
    def test_every_row_of_a_table_has_as_many_cells(self) -> None:
        for name, table in TABLES.items():
            if name in a_run()["parts"] or name in ("machine", "recall"):
                rows = [line for line in table(a_run()) if line.startswith("|")]
                assert len({row.count("|") for row in rows}) <= 1, name

    def test_recall_shows_both_paths(self) -> None:
        (*_, row) = TABLES["recall"](a_run())
        assert row == "| people | **0.987** | 200 | 0.550 | 0.890 |"

    def test_the_headline_compares_with_the_published_recipe_and_a_graph(self) -> None:
        engine = {"title": "a graph", "recall": {"people": 0.98}, "latency_ms": {"people": {"p50": 1.5}}}
        engines = {name: {**engine, "rss_growth_bytes": 1e9} for name in ("ours", "faiss_hnsw")}
        run = {**a_run(), "parts": {**a_run()["parts"], "peers": {"engines": engines}}}
        lines = list(TABLES["headline"](run))
        assert lines[2] == "| recall@10 | **0.987** | 0.890 | 0.980 |"
        assert "1.0 MB" in lines[-1]
        assert "30.7 MB" in lines[-1]
        del engines["faiss_hnsw"]["recall"]
        with pytest.raises(FigureMissingError, match="a graph"):
            list(TABLES["headline"](run))

    def test_without_cold_figures_the_table_has_the_reason(self) -> None:
        lines = list(TABLES["cold"](a_run()))
        assert "| first query of a fresh process | 1.00 (2.00) | - |" in lines
        assert any("a reason" in line for line in lines)

    def test_a_busy_machine_is_reported(self) -> None:
        assert "busy" not in "".join(TABLES["machine"](a_run()))
        assert "load average 9.0" in "".join(TABLES["machine"]({**a_run(), "load_average": 9.0}))

    def test_a_failed_part_has_no_table(self) -> None:
        with pytest.raises(FigureMissingError, match="out of memory"):
            list(TABLES["scans"]({"parts": {"scans": {"error": "out of memory"}}}))

    def test_a_report_has_the_parts_that_were_run(self) -> None:
        run = {**a_run(), "parts": {"opening": a_run()["parts"]["opening"], "growth": {"error": "a disk"}}}
        text = "\n".join(report(run))
        assert "opens in 0.00 s" in text
        assert "Not measured: the part growth has no figures: a disk" in text
        assert "recall@10" not in text

    def test_judged_collections_stand_side_by_side(self) -> None:
        lines = list(judged([a_judged_file(), a_judged_file("cran")]))
        assert lines[0].count("queries") == 4
        assert "med among 1,000" in lines[0]
        assert "99.5 [98.0, 101.0]" in lines[3]


def a_schemes_file() -> dict[str, Any]:
    value = {"mean": 0.9, "kept": {"percent": 99.0, "low": 98.0, "high": 100.0}}
    row = {
        "label": "a scheme",
        "vector_bytes": 384,
        "stages": {"all": value, "hamming_10": value, "hamming_100": value},
    }
    measured = {"measure": "recall@10", "int8": [row, row], "signs": [row, row]}
    return {"query_sets": {"people": measured}, "judged": {"med": {**measured, "measure": "nDCG@10"}}}


class TestSchemes:
    def test_the_first_scheme_is_what_the_others_are_compared_with(self) -> None:
        header, _, first, second, *_ = schemes(a_schemes_file())
        assert header.endswith("| people: recall@10 | med: nDCG@10 |")
        assert first == "| a scheme | 384 | 0.9000 | 0.9000 |"
        assert second == "| a scheme | 384 | 0.9000 [98.0, 100.0] | 0.9000 [98.0, 100.0] |"

    def test_a_comparison_of_nothing_is_refused(self) -> None:
        with pytest.raises(FigureMissingError, match="no query set"):
            list(schemes({"query_sets": {}, "judged": {}}))


class TestPlots:
    def test_a_plot_is_one_svg_file_with_every_colour_it_uses(self) -> None:
        charts = list(latency_charts(RunFigures.from_json(RUN)))
        svg = picture([*charts, replace(charts[0], title="another")])
        parsed = ElementTree.fromstring(svg)
        style = parsed.findtext(f"{SVG}style") or ""
        classes = {name for each in parsed.iter() for name in (each.get("class") or "").split()}
        assert {name for name in classes if f".{name}" not in style} <= {"solid"}
        assert set(re.findall(r"var\((--[a-z0-9]+)\)", style)) <= set(re.findall(r"(--[a-z0-9]+):", style))
        assert "prefers-color-scheme: dark" in style
        assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")

    def test_charts_of_the_same_series_share_one_key(self) -> None:
        [chart] = latency_charts(RunFigures.from_json(RUN))
        assert picture([chart, replace(chart, title="another")]).count(">A graph</text>") == 1
        other = replace(chart, series=chart.series[:1])
        assert picture([chart, other]).count(">other settings</text>") == 2

    def test_charts_of_one_measure_have_one_vertical_scale(self) -> None:
        low, high = (Chart("t", Axis("x"), Axis("y"), (Series("s", "int8", (Point(1, y, ""),)),)) for y in (10.0, 90.0))
        marks = re.findall(r'<g transform="translate\(\S+ (\S+)\)"><title>', picture([low, high]))
        assert float(marks[0]) > float(marks[1]) + 100


class TestCommand:
    def test_running_it_twice_gives_the_same_bytes(self, folder: Path) -> None:
        assert run(folder) == 0
        first = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert run(folder) == 0
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
        plots = {"recall-latency.svg", "recall-bytes.svg", "growth.svg", "load-growth.svg", "kept-multiplier.svg"}
        assert plots <= first.keys()
        assert b"stale" not in first["README.md"]

    def test_a_server_under_load_has_its_tables_and_its_plot(self, folder: Path) -> None:
        assert run(folder) == 0
        text = (folder / "README.md").read_text()
        assert "| 64 | 61.5 | 1.0 | 2.0 |" in text
        assert "| look under the hood | 1.0 | 3.0 | 1.5x |" in text
        assert "| 10 | 400.0 | 31 | 42 | 0 |" in text
        marks = ElementTree.fromstring((folder / "load-growth.svg").read_text()).iter(f"{SVG}title")
        assert [mark.text for mark in marks].count("100 searches: 31") == 1

    def test_a_part_of_the_load_that_was_not_measured_is_named(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        load = a_load_file()
        del load["mix"]
        (folder / figures.LOAD_FILE).write_text(json.dumps(load))
        assert run(folder) == 1
        assert "scripts/load.py --only mix" in capsys.readouterr().err

    def test_check_changes_nothing_and_exits_with_1_when_a_table_is_stale(self, folder: Path) -> None:
        before = (folder / "README.md").read_text()
        assert run(folder, "--check") == 1
        assert (folder / "README.md").read_text() == before
        assert run(folder) == 0
        assert run(folder, "--check") == 0

    def test_a_table_that_was_not_measured_is_refused(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "README.md").write_text("<!-- figures: quick -->\n<!-- /figures -->\n")
        assert run(folder) == 1
        assert "--only quick" in capsys.readouterr().err

    def test_an_unknown_table_is_refused(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "README.md").write_text("<!-- figures: nonsense -->\n<!-- /figures -->\n")
        assert run(folder) == 1
        assert "no table 'nonsense'" in capsys.readouterr().err


def test_the_documents_show_what_was_measured() -> None:
    if not (figures.BENCHMARKS / figures.RUN_FILE).exists():
        pytest.skip(f"nothing was measured: there is no assets/benchmarks/{figures.RUN_FILE}")
    assert figures.main(["--check"]) == 0
