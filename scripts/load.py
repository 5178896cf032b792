"""Measure a server under load: 1, 16 and 64 visitors who search without a pause, over HTTP on this machine.

    .venv/bin/python scripts/load.py --index assets/indexes/python --queries questions.txt --json load.json

Starts the app on the index, waits until it is idle, and asks through each route in turn. No text is asked twice: from
the second round on, a number is appended to it. The visitors run on the same cores as the server, and take their
share of them: compare runs of one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from retrieval import RetrievalError
from retrieval.benchmark.machine import about_machine
from retrieval.benchmark.timings import percentiles
from scripts.report.markdown import Figures, markdown

ROOT = Path(__file__).resolve().parents[1]
ROUTES = ("/gradio_api/run/search", "/api/search")
VISITORS = (1, 16, 64)
_WARM_UP_S = 1.0
_START_LIMIT_S = 120
_IDLE_PERCENT = 8.0
"""Of one core: a server that uses less has finished checking its files."""
_TIMEOUT_S = 30.0
Ask = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


@dataclass(slots=True)
class Run:
    """What visitors met: the milliseconds of each answer, and how many were refused or failed."""

    wall_ms: list[float] = field(default_factory=list)
    busy: int = 0
    """Answers with status 503."""
    errors: int = 0
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
        }


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--queries", type=Path, required=True, metavar="FILE", help="one query a line")
    made.add_argument("--app", type=Path, default=ROOT / "app.py", metavar="FILE", help="the app.py to run")
    made.add_argument("--routes", nargs="+", choices=ROUTES, default=ROUTES)
    made.add_argument("--visitors", nargs="+", type=int, default=VISITORS, metavar="N")
    made.add_argument("--seconds", type=float, default=8.0, metavar="S", help="for each route and number of visitors")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return made


def texts_of(queries: Sequence[str]) -> Iterator[str]:
    """Yields the queries, then the queries with a number, without end: each text once."""
    yield from queries
    for number in itertools.count(2):
        yield from (f"{query} {number}" for query in queries)


async def asking(route: str, client: httpx.AsyncClient) -> Ask:
    """Returns what asks one query through a route, with the defaults of the server."""
    if route == "/api/search":
        return lambda client, text: client.get(route, params={"q": text})
    about = (await client.get("/gradio_api/info")).json()["named_endpoints"]["/search"]["parameters"]
    defaults = [each.get("parameter_default") for each in about[1:]]  # the first one is the query
    return lambda client, text: client.post(route, json={"data": [text, *defaults]})


async def visit(url: str, route: str, visitors: int, texts: Iterator[str], seconds: float) -> Run:
    """Returns what so many visitors met who asked for so long, each one query after the other."""
    run = Run()
    limits = httpx.Limits(max_connections=visitors, max_keepalive_connections=visitors)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits, trust_env=False) as client:
        ask = await asking(route, client)
        start = time.perf_counter()

        async def ask_on() -> None:
            while time.perf_counter() - start < seconds:
                asked = time.perf_counter()
                try:
                    answer = await ask(client, next(texts))
                except httpx.HTTPError:
                    run.errors += 1
                    continue
                if answer.status_code == 200:
                    run.wall_ms.append((time.perf_counter() - asked) * 1e3)
                elif answer.status_code == 503:
                    run.busy += 1
                else:
                    run.errors += 1

        await asyncio.gather(*(ask_on() for _ in range(visitors)))
        run.elapsed_s = time.perf_counter() - start
    return run


def measure(url: str, process: psutil.Process, args: argparse.Namespace, queries: Sequence[str]) -> list[Figures]:
    """Returns the figures of every route and number of visitors, in this order, with the server's RSS after each."""
    texts = texts_of(queries)
    figures: list[Figures] = []
    for route in args.routes:
        asyncio.run(visit(url, route, 1, texts, _WARM_UP_S))
        for visitors in args.visitors:
            before = process.memory_info().rss
            cpu = sum(process.cpu_times()[:2])
            run = asyncio.run(visit(url, route, visitors, texts, args.seconds))
            figures.append({
                "route": route,
                "visitors": visitors,
                **run.to_json(),
                "cpu_ms": (sum(process.cpu_times()[:2]) - cpu) * 1e3 / max(1, len(run.wall_ms)),
                "rss_before_bytes": before,
                "rss_after_bytes": process.memory_info().rss,
            })  # fmt: skip
    return figures


@contextmanager
def served(app: Path, index: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Yields the address and the process of an app, once it answers and is idle.

    Raises:
        RuntimeError: if the app ends, or does not answer in time.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    started = subprocess.Popen([sys.executable, str(app), "--index", str(index.resolve()), "--port", str(port)])
    process = psutil.Process(started.pid)
    try:
        deadline = time.monotonic() + _START_LIMIT_S
        while not _answers(url) or process.cpu_percent(1.0) > _IDLE_PERCENT:
            if started.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the app on {index} does not answer, or is never idle")
        yield url, process
    finally:
        started.terminate()
        started.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/gradio_api/info", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        time.sleep(0.2)
        return False


def table(figures: Sequence[Figures]) -> Iterator[str]:
    """Yields the lines of the table."""
    header = [
        "route",
        "visitors",
        "searches/s",
        "p50 ms",
        "p95 ms",
        "CPU ms",
        "busy",
        "errors",
        "RSS MB, before and after",
    ]
    rows = [
        [
            f"`{each['route']}`",
            f"{each['visitors']}",
            f"{each['per_second']:.0f}",
            *(f"{each[name]:.1f}" if name in each else "-" for name in ("p50_ms", "p95_ms")),
            f"{each['cpu_ms']:.1f}",
            f"{each['busy']}",
            f"{each['errors']}",
            f"{each['rss_before_bytes'] / 1e6:.0f} to {each['rss_after_bytes'] / 1e6:.0f}",
        ]
        for each in figures
    ]
    return markdown(header, rows)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    try:
        queries = [line for line in args.queries.read_text(encoding="utf-8").splitlines() if line.strip()]
        with served(args.app, args.index) as (url, process):
            figures = measure(url, process, args, queries)
    except (RetrievalError, RuntimeError, OSError, httpx.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    machine = about_machine()
    print("\n".join(table(figures)))
    print(f"\nEach for {args.seconds:g} s, on {machine['cpu']}, {machine['cores']} cores.")
    if args.json:
        taken = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        content = {"taken_at": taken, "machine": machine, "seconds": args.seconds, "runs": figures}
        args.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
