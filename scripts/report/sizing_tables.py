"""Tables of what large indexes take: measured builds, and the sizing that follows from them."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.evaluation.cost import GB_BYTES, CostPlan, dollars, gigabytes
from retrieval.indexing.lists import auto_lists
from scripts.report.markdown import Figures, markdown, mb_cell
from scripts.report.sizing import (
    BUILD_CORES,
    DOCUMENTS,
    LISTS_STAGE,
    MODELS,
    NODE_CORES,
    NODE_GB,
    QUERY_MS,
    USABLE,
    Sizing,
)  # fmt: skip


def building(figures: Figures) -> Iterator[str]:
    """Yields the builds that were measured, and the stages of the largest."""
    builds = sorted(figures["builds"], key=lambda build: int(build["rows"]))
    yield from markdown(
        ["rows", "peak RAM, MB", "reached while", "CPU minutes", "minutes", "files, GB"],
        [
            [
                f"{build['rows']:,}", mb_cell(build["peak_rss_bytes"]), _reached(build),
                f"{sum(stage['cpu_seconds'] for stage in build['stages']) / 60:,.1f}",
                f"{build['build_seconds'] / 60:,.1f}", f"{sum(build['files'].values()) / 1e9:,.1f}",
            ]
            for build in builds
        ],
    )  # fmt: skip
    largest = builds[-1]
    yield ""
    yield from markdown(
        [f"{largest['rows']:,} rows, stage", "CPU seconds", "peak RAM until its end, MB"],
        [
            [stage["stage"], f"{stage['cpu_seconds']:,.0f}", mb_cell(stage["peak_rss_bytes"])]
            for stage in largest["stages"]
        ],
    )
    machine = figures["machine"]
    yield ""
    if len(builds) > 1:
        growth = (largest["peak_rss_bytes"] - builds[0]["peak_rss_bytes"]) / (largest["rows"] - builds[0]["rows"])
        yield f"From the smallest build to the largest, each row adds {growth:,.0f} bytes to the peak RAM."
    yield (
        f"int8 vectors of {largest['dim']} dimensions, given. {machine['cpu']}, {machine['cores']} cores, "
        f"{figures['taken_at']}; other programs were running, so the minutes are too high."
    )


def sizing(figures: Figures) -> Iterator[str]:
    """Yields what the documents take: RAM, disk, machines, and the build."""
    yield from markdown(
        [
            "documents", "dimensions", "RAM", "disk", "disk while building", "query over all bits, CPU ms",
            "machines for the RAM", f"for {QUERY_MS:.0f} ms per query", "encoding, core hours",
            "the rest, core hours", f"build, hours on {BUILD_CORES} cores",
        ],
        [
            [
                f"{each.documents:,}", str(each.dim), gigabytes(int(each.ram_bytes)), gigabytes(int(each.disk_bytes)),
                gigabytes(int(each.building_bytes)), f"{each.scan_core_ms:,.0f}", f"{each.machines_by_ram:,}",
                f"{each.machines_by_time:,}", f"{each.encode_core_hours:,.0f}", f"{each.other_core_hours:,.1f}",
                f"{each.build_hours:,.1f}",
            ]
            for each in Sizing.all_of(figures)
        ],
    )  # fmt: skip
    yield ""
    encode = figures["encoding"]["cpu_ms"]
    yield (
        f"GB are 2^30 bytes, as in the article. A machine has {NODE_GB} GB and {NODE_CORES} cores (x2gd.xlarge); "
        f"an index may take {USABLE:.0%} of its RAM. Encoding is measured: {encode:.2f} CPU ms per text with "
        f"{MODELS[384][0]}. {MODELS[1024][0]} is calculated as {MODELS[1024][1]:.0f} times as much (layers "
        f"times width squared), which was not measured."
    )


def sizing_cost(figures: Figures) -> Iterator[str]:
    """Yields the monthly cost at the article's price next to the article's own rows."""
    rows = []
    for each in Sizing.all_of(figures):
        plan = CostPlan(each.documents, each.dim)
        ram = each.ram_bytes / GB_BYTES * plan.price
        whole = each.machines * NODE_GB * plan.price
        rows.append(
            [
                f"{each.documents:,}", str(each.dim),
                *(dollars(plan.in_ram(precision).monthly) for precision in ("float32", "int8", "binary")),
                dollars(ram), f"{each.machines:,}", dollars(whole),
            ]
        )  # fmt: skip
    yield from markdown(
        [
            "documents", "dimensions", "article: float32 in RAM", "int8 in RAM", "binary in RAM",
            "here: RAM as measured", "machines", "whole machines",
        ],
        rows,
    )  # fmt: skip
    yield ""
    yield (
        "Dollars per month at the article's $3.8 per GB of RAM. The first three count only the vectors, by the "
        "article's arithmetic; ours include all that a process takes per row. As in the article, disk is not included."
    )


def sizing_lists(figures: Figures) -> Iterator[str]:
    """Yields how the lists of one index grow, which is where a large build spends its time."""
    build = max(figures["builds"], key=lambda build: int(build["rows"]))
    seconds = next(stage["cpu_seconds"] for stage in build["stages"] if stage["stage"] == LISTS_STAGE)
    measured_lists = auto_lists(build["rows"])
    rows = []
    for documents in (build["rows"], *DOCUMENTS):
        lists = auto_lists(documents)
        hours = seconds / 3600 * documents * lists / (build["rows"] * measured_lists)
        rows.append([f"{documents:,}", f"{lists:,}", f"{hours:,.1f}", f"{hours * 3.6e6 / documents:.2f}"])
    yield from markdown(["rows in one index", "lists", "core hours", "CPU ms per row"], rows)


def _reached(build: Figures) -> str:
    return next(
        str(stage["stage"]) for stage in build["stages"] if stage["peak_rss_bytes"] >= 0.99 * build["peak_rss_bytes"]
    )


SIZING_TABLES = {"building": building, "sizing": sizing, "sizing_cost": sizing_cost, "sizing_lists": sizing_lists}
"""The tables of assets/docs/beyond-one-machine.md, by the names of their markers."""
