"""Visitors who ask without a pause, and what they met."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from retrieval.benchmark.timings import percentiles
from scripts.loading.kinds import Ask, CrossTalkError

TIMEOUT_S = 60.0


@dataclass(slots=True)
class Run:
    """What visitors met: the milliseconds of each answer, and how many were refused or failed."""

    wall_ms: list[float] = field(default_factory=list)
    busy: int = 0
    """Answers with status 503."""
    errors: int = 0
    cross_talk: int = 0
    """Answers to something else than what was asked."""
    elapsed_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Returns searches a second, percentiles, and the counts; no percentiles where nothing was answered."""
        found = percentiles(self.wall_ms) if self.wall_ms else {}
        return {
            **found,
            "searches": len(self.wall_ms),
            "per_second": len(self.wall_ms) / self.elapsed_s,
            "busy": self.busy,
            "errors": self.errors,
            "cross_talk": self.cross_talk,
        }


def texts_of(queries: Sequence[str]) -> Iterator[str]:
    """Yields the queries, then the queries with a number, without end: each text once."""
    yield from queries
    for number in itertools.count(2):
        yield from (f"{query} {number}" for query in queries)


def client_of(url: str, connections: int = 1, address: str | None = None) -> httpx.AsyncClient:
    """Returns a client with its own connections, perhaps from another address of this machine."""
    # The server closes a connection after five seconds without a request: before that, it is not used again.
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=2.0)
    transport = httpx.AsyncHTTPTransport(verify=False, local_address=address, limits=limits)
    return httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, transport=transport, trust_env=False)


async def ask_on(
    client: httpx.AsyncClient,
    ask: Ask,
    texts: Iterator[str],
    run: Run,
    goes_on: Callable[[], bool],
    pause_s: float = 0.0,
) -> None:
    """Asks one text after the other while `goes_on()`, and notes what came of it in `run`."""
    while goes_on():
        asked = time.perf_counter()
        try:
            answer = await ask(client, next(texts))
        except CrossTalkError:
            run.cross_talk += 1
            continue
        except httpx.HTTPError:
            run.errors += 1
            continue
        if answer.status_code == 200:
            run.wall_ms.append((time.perf_counter() - asked) * 1e3)
        elif answer.status_code == 503:
            run.busy += 1
        else:
            run.errors += 1
        if pause_s:
            await asyncio.sleep(pause_s)


async def together(
    url: str, asks: Sequence[tuple[str, Ask]], texts: Iterator[str], seconds: float
) -> Mapping[str, Run]:
    """Returns what visitors met, by what they do; there is a connection for each."""
    runs = {kind: Run() for kind, _ in asks}
    async with client_of(url, len(asks)) as client:
        start = time.perf_counter()
        await asyncio.gather(*(
            ask_on(client, ask, texts, runs[kind], lambda: time.perf_counter() - start < seconds) for kind, ask in asks
        ))  # fmt: skip
    for run in runs.values():
        run.elapsed_s = time.perf_counter() - start
    return runs
