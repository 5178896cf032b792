"""The sizing of large collections, from builds that were measured."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.report.sizing import Sizing
from scripts.report.sizing_tables import SIZING_TABLES

ROWS = 1_000_000


def a_build(rows: int = ROWS) -> dict[str, Any]:
    """A build with round numbers per row: 100 bytes of RAM of which 48 are bits, 200 bytes of documents."""
    stage = {"seconds": 1.0, "cpu_seconds": 360.0, "peak_rss_bytes": 10**9}
    names = ("opening", "reading", "copying", "writing binary.faiss", "writing int8.usearch", "writing lists.faiss")
    return {
        "rows": rows, "dim": 384, "build_seconds": 600.0, "peak_rss_bytes": 2 * 10**9,
        "files": {"documents/documents.arrow": 200 * rows},
        "stages": [*({"stage": name, **stage} for name in names),
                   {"stage": "tuning", **stage, "peak_rss_bytes": 2 * 10**9}],
        "searching": {"rss_bytes_before": 10**8, "queries": 1,
                      "scans": {"float-bits": {"cpu_ms": 2.0, "rss_bytes": 10**8 + 100 * rows}}},
    }  # fmt: skip


FIGURES = {
    "taken_at": "2026-01-01", "machine": {"cpu": "a cpu", "cores": 2}, "encoding": {"cpu_ms": 3.6},
    "builds": [a_build(1000), a_build()],
}  # fmt: skip


def sized(documents: int, dim: int = 384) -> Sizing:
    return Sizing(a_build(), 3.6, documents, dim)


def test_sizing_reproduces_the_measured_points() -> None:
    found = sized(ROWS)
    assert found.ram_bytes == pytest.approx(100 * ROWS)
    assert found.scan_core_ms == pytest.approx(2.0)
    assert found.encode_core_hours == pytest.approx(1.0)
    # Six of the seven stages, without lists, at six minutes each.
    assert found.other_core_hours == pytest.approx(0.6)


def test_all_grows_with_the_documents() -> None:
    one, ten = sized(ROWS), sized(10 * ROWS)
    for name in ("ram_bytes", "scan_core_ms", "encode_core_hours", "other_core_hours"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name)), name
    assert ten.disk_bytes == pytest.approx(10 * one.disk_bytes, rel=1e-4)


def test_only_what_depends_on_dimensions_grows_with_them() -> None:
    small, large = sized(ROWS), sized(ROWS, 1024)
    assert large.ram_bytes - small.ram_bytes == pytest.approx(80 * ROWS)
    assert large.disk_bytes - small.disk_bytes == pytest.approx((640 + 80) * ROWS)
    assert large.building_bytes - large.disk_bytes == pytest.approx(4096 * ROWS)
    assert large.scan_core_ms == pytest.approx(2.0 * 1024 / 384)


def test_there_are_enough_machines_for_the_ram_and_the_time() -> None:
    by_time = sized(1000 * ROWS)
    assert (by_time.machines_by_ram, by_time.machines_by_time, by_time.machines) == (2, 5, 5)
    assert sized(1).machines == 1


@pytest.mark.parametrize("name", SIZING_TABLES)
def test_every_row_of_a_table_has_as_many_cells(name: str) -> None:
    table: list[str] = []
    for line in [*SIZING_TABLES[name](FIGURES), ""]:
        if line.startswith("|"):
            table.append(line)
            continue
        assert len({row.count("|") for row in table}) <= 1
        table = []


def test_the_cost_stands_next_to_the_article_s_own_figures() -> None:
    text = "\n".join(SIZING_TABLES["sizing_cost"](FIGURES))
    for published in ("$1,358", "$5,435", "$3,623", "$14,495"):
        assert published in text


def test_the_stage_that_takes_most_ram_is_named() -> None:
    assert "| tuning |" in "\n".join(SIZING_TABLES["building"](FIGURES)).splitlines()[3]
