"""The load generator asks each text once, counts what fails, and gives figures of a real server."""

from __future__ import annotations

import asyncio
import itertools

import psutil
import pytest

from scripts.load import ROUTES, Run, measure, parser, table, texts_of, visit
from tests.page_server import RunningApp, free_port


def test_no_text_is_asked_twice() -> None:
    texts = list(itertools.islice(texts_of(["red apple", "blue plum"]), 9))
    assert texts[:3] == ["red apple", "blue plum", "red apple 2"]
    assert len(set(texts)) == 9


def test_a_server_that_is_not_there_is_counted_as_errors() -> None:
    run = asyncio.run(visit(f"http://127.0.0.1:{free_port()}", "/api/search", 2, texts_of(["red"]), 0.1))
    assert run.errors > 0
    assert run.to_json()["searches"] == 0


def test_rates_and_percentiles_are_those_of_the_answers() -> None:
    found = Run([10.0, 20.0, 30.0], busy=1, errors=2, elapsed_s=1.5).to_json()
    assert (found["per_second"], found["p50_ms"], found["busy"], found["errors"]) == (2.0, 20.0, 1, 2)


@pytest.mark.model
def test_both_routes_of_a_real_server_are_measured_without_an_error(served: RunningApp) -> None:
    arguments = ["--index", "-", "--queries", "-", "--visitors", "3", "--seconds", "2"]
    figures = measure(served.url, psutil.Process(served.process.pid), parser().parse_args(arguments), ["sort", "read"])
    assert [(each["route"], each["visitors"]) for each in figures] == [(route, 3) for route in ROUTES]
    assert all(each["searches"] > 0 and each["errors"] == each["busy"] == 0 for each in figures)
    assert all(each["rss_after_bytes"] > 10**7 and each["cpu_ms"] > 0 for each in figures)
    assert len(list(table(figures))) == 2 + len(figures)
