"""What the browser measured of the page, as a table."""

from __future__ import annotations

from typing import Any

from retrieval.benchmark.timings import percentiles
from scripts.page_latency import parser
from scripts.report.speed_tables import page


def figures() -> dict[str, Any]:
    search = {"queries": 3, "painted": percentiles([30.0, 40.0, 80.0]), "request": percentiles([10.0]), "pause_ms": 150}
    compare = {"queries": 3, "painted": percentiles([300.0]), "request": percentiles([280.0]), "pause_ms": 150}
    return {"views": {"search": {**search, "search": percentiles([5.0])}, "compare": compare}}


def test_a_view_has_its_median_and_its_parts() -> None:
    lines = list(page(figures()))
    assert "| Search | 40 (76) | 10 (10) | 5 (5) |" in lines
    assert "| Compare | 300 (300) | 280 (280) | - |" in lines


def test_the_pause_that_is_left_out_is_named() -> None:
    assert "without the 150 ms" in list(page(figures()))[-1]


def test_the_first_screen_has_a_column_per_screen_and_its_waits() -> None:
    screen = {
        "whole_results": {"laptop": 7, "phone": 5}, "layout_shift": {"laptop": 0.01, "phone": 0.0512},
        "first_html_bytes": 21_475, "phone_first_visit_ms": 3_960.0, "phone_second_visit_ms": 1_444.0,
    }  # fmt: skip
    lines = list(page({**figures(), "first_screen": screen}))
    assert "| complete results in the first screen | 7 | 5 |" in lines
    assert "| layout shift | 0.010 | 0.051 |" in lines
    assert "21 kB" in lines[-1]
    assert "4.0 s, on a second visit after 1.4 s" in lines[-1]


def test_the_command_wants_an_index_and_queries() -> None:
    args = parser().parse_args(["--index", "a", "--queries", "b"])
    assert (str(args.index), str(args.queries), args.limit) == ("a", "b", 50)
