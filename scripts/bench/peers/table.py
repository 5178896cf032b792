"""The comparison as Markdown, and where a peer is better than ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

_OURS = "ours"
_MEASURES: tuple[tuple[str, Callable[[Mapping[str, Any]], float], bool], ...] = (
    ("recall@10", lambda figures: min(figures["recall"].values()), True),
    ("p50 ms", lambda figures: _slowest(figures, "p50"), False),
    ("p95 ms", lambda figures: _slowest(figures, "p95"), False),
    ("p99 ms", lambda figures: _slowest(figures, "p99"), False),
    ("queries/s", lambda figures: float(figures["queries_per_s"]), True),
    ("CPU ms", lambda figures: float(figures["cpu_ms_per_query"]), False),
    ("RSS growth MB", lambda figures: figures["rss_growth_bytes"] / 1e6, False),
    ("disk MB", lambda figures: figures["disk_bytes"] / 1e6, False),
)
"""Name, value, and whether more is better. Of several query sets, the worst one counts."""


def _slowest(figures: Mapping[str, Any], percentile: str) -> float:
    return max(float(latency[percentile]) for latency in figures["latency_ms"].values())


def where_peers_win(engines: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns every measure in which a peer is better than the best of our scans, and by which figures."""
    ours = {
        engine: figures
        for engine, figures in engines.items()
        if engine.startswith(_OURS) and figures.get("target_reached")
    }
    found = []
    for name, value, more_is_better in _MEASURES:
        values = {engine: value(figures) for engine, figures in ours.items()}
        if not values:
            break
        best = max(values, key=values.__getitem__) if more_is_better else min(values, key=values.__getitem__)
        for engine, figures in engines.items():
            if engine.startswith(_OURS) or "recall" not in figures:
                continue
            peer = value(figures)
            if peer > values[best] if more_is_better else peer < values[best]:
                found.append({
                    "measure": name, "engine": engine, "peer": peer, "ours": values[best], "our_engine": best,
                    "peer_reached_target": figures["target_reached"],
                })  # fmt: skip
    return found


def in_short(figures: Mapping[str, Any]) -> str:
    """Returns what one engine reached, on one line, to show while the others run."""
    return f"recall {min(figures['recall'].values()):.3f}, {_slowest(figures, 'p50'):.2f} ms at {figures['setting']}"


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yields the comparison as lines of Markdown."""
    sets = list(figures["queries"])
    asked = ", ".join(f"{name} ({count})" for name, count in figures["queries"].items())
    yield (
        f"{figures['vectors']:,} vectors of {figures['dim']} dimensions, {figures['threads']} threads, recall@10 of at "
        f"least {figures['recall_target']} on each of: {asked}. Figures by query set are in this order."
    )
    yield figures["covers"]
    yield ""
    yield (
        "| engine | setting | recall@10 | p50 ms | p95 ms | p99 ms | queries/s | CPU ms | RSS growth MB "
        "| of it anonymous | disk MB | build s |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for engine in figures["engines"].values():
        yield _row(engine, sets)
    yield ""
    yield from _callers(figures, sets)
    yield from _wins(figures)


def _row(engine: Mapping[str, Any], sets: list[str]) -> str:
    if not engine["installed"]:
        return f"| {engine['title']} | not installed: `{engine['install']}` |{' - |' * 10}"
    if "error" in engine:
        return f"| {engine['title']} | {engine['error'].replace('|', '/')} |{' - |' * 10}"
    short = "" if engine["target_reached"] else " (fell short)"
    cells = [
        engine["title"],
        engine["setting"],
        " / ".join(f"{engine['recall'][name]:.3f}" for name in sets) + short,
        *(" / ".join(f"{engine['latency_ms'][name][p]:.2f}" for name in sets) for p in ("p50", "p95", "p99")),
        f"{engine['queries_per_s']:,.0f}",
        f"{engine['cpu_ms_per_query']:.2f}",
        f"{engine['rss_growth_bytes'] / 1e6:,.1f}",
        f"{engine['anonymous_growth_bytes'] / 1e6:,.1f}",
        f"{engine['disk_bytes'] / 1e6:,.1f}",
        "-" if engine["build_s"] is None else f"{engine['build_s']:,.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _callers(figures: Mapping[str, Any], sets: list[str]) -> Iterator[str]:
    """Yields queries per second by the number of callers, at both targets; nothing for an older run without them."""
    measured = [engine for engine in figures["engines"].values() if "at_higher_target" in engine]
    if not measured:
        return
    callers = list(measured[0]["by_callers"])
    header = " | ".join(f"queries/s, {count} {'caller' if count == '1' else 'callers'}" for count in callers)
    for target in (figures["recall_target"], figures["higher_target"]):
        yield f"Queries per second by the number of callers, at a recall@10 of {target}:"
        yield ""
        yield f"| engine | setting | recall@10 | p50 ms | p95 ms | {header} | in batches |"
        yield f"|{'---|' * (6 + len(callers))}"
        for engine in measured:
            own = engine if target == figures["recall_target"] else engine["at_higher_target"]
            short = "" if own["target_reached"] else " (fell short)"
            cells = [
                engine["title"],
                own["setting"],
                " / ".join(f"{own['recall'][name]:.3f}" for name in sets) + short,
                *(" / ".join(f"{own['latency_ms'][name][p]:.2f}" for name in sets) for p in ("p50", "p95")),
                *(f"{own['by_callers'][count]:,.0f}" for count in callers),
                "-" if own.get("batch_queries_per_s") is None else f"{own['batch_queries_per_s']:,.0f}",
            ]
            yield f"| {' | '.join(cells)} |"
        yield ""


def _wins(figures: Mapping[str, Any]) -> Iterator[str]:
    if not any(engine.startswith(_OURS) for engine in figures["engines"]):
        return
    yield "Where a peer is better than the best of our scans (of several query sets, the worse figure counts):"
    yield ""
    for name, group in groupby(figures["where_peers_win"], key=lambda win: win["measure"]):
        wins = list(group)
        better = ", ".join(_win(figures["engines"][win["engine"]]["title"], win) for win in wins)
        yield f"- {name}, ours {_number(wins[0]['ours'])}: {better}"
    if not figures["where_peers_win"]:
        yield "- nowhere in this run"


def _win(title: str, win: Mapping[str, Any]) -> str:
    short = "" if win["peer_reached_target"] else " with too low a recall"
    return f"{title} ({_number(win['peer'])}{short})"


def _number(value: float) -> str:
    return f"{value:,.3f}" if value < 100 else f"{value:,.0f}"
