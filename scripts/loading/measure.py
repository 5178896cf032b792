"""What is measured on a server under load: routes, a mix of visitors, one next to another, and growth."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from scripts.loading.kinds import Ask, asking, kinds
from scripts.loading.run import Run, ask_on, client_of, texts_of, together
from scripts.loading.server import Server
from scripts.report.markdown import Figures

_WARM_UP_S = 1.0
_MIX = ("search",) * 12 + ("compare", "page", "hood", "upload")
"""What each of sixteen visitors does."""
_HAMMERS = ("hood", "compare", "search", "upload")
_HAMMER_CONNECTIONS = 16
_LIGHT, _GREEDY = "127.0.0.2", "127.0.0.3"
"""Addresses of two visitors. On macOS, they must be added to the loopback interface first."""
_LIGHT_PAUSE_S = 0.1


def routes(
    server: Server, names: Sequence[str], counts: Sequence[int], seconds: float, queries: Sequence[str]
) -> list[Figures]:
    """Returns the figures of every route and number of visitors, in this order, with the server's RSS after each."""
    texts = texts_of(queries)
    figures: list[Figures] = []
    for route in names:
        asyncio.run(_searching(server.url, route, 1, texts, _WARM_UP_S))
        for visitors in counts:
            before, cpu = server.holding().rss_bytes, server.cpu_seconds()
            run = asyncio.run(_searching(server.url, route, visitors, texts, seconds))
            figures.append({
                "route": route,
                "visitors": visitors,
                **run.to_json(),
                "cpu_ms": (server.cpu_seconds() - cpu) * 1e3 / max(1, len(run.wall_ms)),
                "rss_before_bytes": before,
                "rss_after_bytes": server.holding().rss_bytes,
            })  # fmt: skip
    return figures


async def _searching(url: str, route: str, visitors: int, texts: Iterator[str], seconds: float) -> Run:
    try:
        async with client_of(url) as client:
            ask = await asking(route, client)
    except httpx.HTTPError:
        return Run(errors=1, elapsed_s=seconds)
    runs = await together(url, [(route, ask)] * visitors, texts, seconds)
    return runs[route]


def mix(server: Server, counts: Sequence[int], seconds: float, queries: Sequence[str]) -> list[Figures]:
    """Returns the figures of visitors who do different things at once, by their number and what they do."""
    texts = texts_of(queries)
    figures: list[Figures] = []
    for visitors in counts:
        asks = asyncio.run(_asks(server.url))
        chosen = [(kind, asks[kind]) for kind in itertools.islice(itertools.cycle(_MIX), visitors)]
        before = server.holding().rss_bytes
        runs = asyncio.run(together(server.url, chosen, texts, seconds))
        after = server.holding().rss_bytes
        for kind, run in runs.items():
            doing = sum(each == kind for each, _ in chosen)
            about = {"rss_before_bytes": before, "rss_after_bytes": after}
            figures.append({"visitors": visitors, "kind": kind, "doing": doing, **run.to_json(), **about})
    return figures


async def _asks(url: str) -> dict[str, Ask]:
    async with client_of(url) as client:
        return dict(await kinds(client))


def beside(server: Server, seconds: float, queries: Sequence[str]) -> list[Figures]:
    """Returns how a visitor searches who pauses after each answer: alone, and next to one who floods the server."""
    texts = texts_of(queries)
    alone = asyncio.run(_light(server.url, None, texts, seconds))
    figures: list[Figures] = [{"beside": None, **alone.to_json()}]
    for kind in _HAMMERS:
        run = asyncio.run(_light(server.url, kind, texts, seconds))
        figures.append({"beside": kind, **run.to_json()})
    return figures


async def _light(url: str, hammer: str | None, texts: Iterator[str], seconds: float) -> Run:
    asks = await _asks(url)
    run, ignored = Run(), Run()

    def goes_on() -> bool:
        return time.perf_counter() - start < seconds

    async with client_of(url, 1, _LIGHT) as light, client_of(url, _HAMMER_CONNECTIONS, _GREEDY) as greedy:
        start = time.perf_counter()
        others = [] if hammer is None else [
            asyncio.ensure_future(ask_on(greedy, asks[hammer], texts, ignored, goes_on))
            for _ in range(_HAMMER_CONNECTIONS)
        ]  # fmt: skip
        await asyncio.sleep(_WARM_UP_S if hammer else 0)
        await ask_on(light, asks["search"], texts, run, goes_on, _LIGHT_PAUSE_S)
        await asyncio.gather(*others)
    run.elapsed_s = time.perf_counter() - start
    return run


def growth(
    server: Server, searches: int, visitors: int, queries: Sequence[str], every: int, most_s: float = math.inf
) -> dict[str, Any]:
    """Returns what the server holds after each so many searches, and what the visitors met; after `most_s`, it ends."""
    texts = itertools.islice(texts_of(queries), searches)
    run = Run()
    samples: list[Figures] = [{"searches": 0, **dataclasses.asdict(server.holding())}]

    def goes_on() -> bool:
        done = len(run.wall_ms) + run.errors + run.busy + run.cross_talk
        if done >= samples[-1]["searches"] + every:
            samples.append({"searches": done, **dataclasses.asdict(server.holding())})
        return done + visitors <= searches and time.perf_counter() - start < most_s

    async def all_visitors() -> None:
        asks = await _asks(server.url)
        async with client_of(server.url, visitors) as client:
            await asyncio.gather(*(ask_on(client, asks["search"], texts, run, goes_on) for _ in range(visitors)))

    start = time.perf_counter()
    asyncio.run(all_visitors())
    run.elapsed_s = time.perf_counter() - start
    samples.append({"searches": len(run.wall_ms), **dataclasses.asdict(server.holding())})
    return {"visitors": visitors, **run.to_json(), "samples": samples}
