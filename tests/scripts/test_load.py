"""The load generator asks each text once, counts what fails, and gives figures of a real server."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import httpx
import psutil
import pytest

from scripts.load import PARTS
from scripts.loading import measure
from scripts.loading.kinds import ROUTES, CrossTalkError, asking, kinds
from scripts.loading.run import Run, ask_on, client_of, texts_of
from scripts.loading.server import Server
from scripts.report.load_tables import TABLES
from tests.page_server import RunningApp, free_port

QUERIES = ["sort a list", "read a file"]


@pytest.fixture
def server(served: RunningApp, tmp_path: Path) -> Server:
    return Server(served.url, psutil.Process(served.process.pid), tmp_path)


def test_no_text_is_asked_twice() -> None:
    texts = list(itertools.islice(texts_of(["red apple", "blue plum"]), 9))
    assert texts[:3] == ["red apple", "blue plum", "red apple 2"]
    assert len(set(texts)) == 9


def test_a_server_that_is_not_there_is_counted_as_errors() -> None:
    run, left = Run(), iter([True, True, False])

    async def ask() -> None:
        async with client_of(f"http://127.0.0.1:{free_port()}") as client:
            await ask_on(client, await asking("/api/search", client), texts_of(["red"]), run, lambda: next(left))

    asyncio.run(ask())
    assert (run.errors, run.wall_ms) == (2, [])


def test_rates_and_percentiles_are_those_of_the_answers() -> None:
    found = Run([10.0, 20.0, 30.0], busy=1, errors=2, elapsed_s=1.5).to_json()
    assert (found["per_second"], found["p50_ms"], found["busy"], found["errors"]) == (2.0, 20.0, 1, 2)


def test_an_answer_to_something_else_is_noticed() -> None:
    def swapped(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"query": "another visitor's query"})

    async def ask() -> None:
        async with httpx.AsyncClient(base_url="http://server", transport=httpx.MockTransport(swapped)) as client:
            await (await asking("/api/search", client))(client, "mine")

    with pytest.raises(CrossTalkError):
        asyncio.run(ask())


@pytest.mark.model
def test_both_routes_of_a_real_server_are_measured_without_an_error(server: Server) -> None:
    figures = measure.routes(server, ROUTES, [3], 2, QUERIES)
    assert [(each["route"], each["visitors"]) for each in figures] == [(route, 3) for route in ROUTES]
    assert all(
        each["searches"] > 0 and each["errors"] == each["busy"] == each["cross_talk"] == 0 for each in figures
    ), figures
    assert all(each["rss_after_bytes"] > 10**7 and each["cpu_ms"] > 0 for each in figures)
    assert len(list(TABLES["routes"](figures))) == 2 + len(figures)


@pytest.mark.model
def test_each_visitor_of_a_mix_gets_their_own_answer(server: Server) -> None:
    async def all_kinds() -> dict[str, int]:
        async with client_of(server.url) as client:
            asks = (await kinds(client)).items()
            return {name: (await ask(client, f"sort a list, {name}?")).status_code for name, ask in asks}

    assert asyncio.run(all_kinds()) == dict.fromkeys(("search", "compare", "hood", "page", "upload"), 200)


@pytest.mark.model
def test_growth_is_sampled_over_all_searches(server: Server) -> None:
    figures = measure.growth(server, 40, 4, QUERIES, 10)
    assert figures["errors"] == figures["cross_talk"] == 0
    assert 36 <= figures["searches"] <= 40
    assert len(figures["samples"]) >= 4
    assert all(each["rss_bytes"] > 10**7 and each["threads"] > 1 for each in figures["samples"])
    assert len(list(TABLES["growth"](figures))) == 5


def test_every_part_has_its_table() -> None:
    assert set(TABLES) == set(PARTS)
