"""`GET /api/search` of a served page: the answer of `/search`, its limits, and errors with their status."""

from __future__ import annotations

import http.client
import inspect
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from retrieval.ui.api import Api
from retrieval.ui.request_limits import MAX_QUERY_CHARS
from retrieval.ui.server.search_route import PATH
from tests.page_server import HOSTILE_TEXT, RunningApp
from tests.raw_calls import RawAnswer, call
from tests.support import PATIENCE_S

pytestmark = pytest.mark.model


def get(app: RunningApp, query: str) -> RawAnswer:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=PATIENCE_S)
    connection.request("GET", f"{PATH}?{query}")
    answer = connection.getresponse()
    found = RawAnswer(answer.status, answer.read())
    assert (answer.getheader("content-type") or "").startswith("application/json")
    connection.close()
    return found


def search(app: RunningApp, query: str, **parameters: Any) -> RawAnswer:
    return get(app, urlencode({"q": query, **parameters}))


def endpoint(app: RunningApp, query: str, **given: Any) -> RawAnswer:
    """Asks Gradio's endpoint, with all of its arguments in order."""
    usual = {"asymmetric": True, "rescore": True}
    names = [name for name in inspect.signature(Api.search).parameters if name not in ("self", "query")]
    return call(app, "search", [query, *({**usual, **given}.get(name) for name in names)])


@pytest.mark.parametrize(
    "query", ["sort a list by its keys", "naïve 日本語 🍎", HOSTILE_TEXT, "a=b&c %00 + #", "x" * 5_000]
)
def test_the_answer_is_that_of_the_endpoint(served: RunningApp, query: str) -> None:
    knobs = {"top_k": 3, "num_candidates": 20, "rescore_multiplier": 2, "asymmetric": False, "rescore": False}
    answer = search(served, query, index="tiny", **{name: str(value).lower() for name, value in knobs.items()})
    [expected] = endpoint(served, query, **knobs, index="tiny").json["data"]
    assert answer.status == 200, answer.body
    found = answer.json
    assert found.pop("latency").keys() == expected.pop("latency").keys()
    assert (found.pop("vector_was_kept"), expected.pop("vector_was_kept")) == (False, len(query) <= 2_000)
    assert found == expected
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]


def test_parameters_left_out_take_the_defaults_of_the_index(served: RunningApp) -> None:
    found = search(served, "sort a list").json
    assert found["hits"][0]["text"] == "sort a list of numbers"
    assert found["settings"]["top_k"] == 10
    assert found["num_documents"] == 25


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("", "the query is missing"),
        ("q=", "query is empty"),
        ("q=%20%00", "query is empty"),
        ("q=x&topk=3", "'topk' is not a parameter"),
        ("q=x&top_k=51", "top_k is 51: a whole number from 1 to 50"),
        ("q=x&top_k=0", "top_k is 0"),
        ("q=x&top_k=-1", "top_k is '-1'"),
        ("q=x&top_k=ten", "top_k is 'ten'"),
        ("q=x&top_k=1e30", "top_k is '1e30'"),
        ("q=x&top_k=" + "9" * 4_000, "top_k is "),
        ("q=x&num_candidates=10001", "num_candidates is 10001"),
        ("q=x&rescore_multiplier=", "rescore_multiplier is ''"),
        ("q=x&rescore=maybe", "true or false is needed"),
        ("q=x&scan=graph", "'graph'"),
        ("q=x&scan=lists", "lists"),
        (f"q={'x' * (MAX_QUERY_CHARS + 1)}", "at most 20,000"),
    ],
)
def test_unusable_parameters_give_a_400_with_a_sentence(served: RunningApp, parameters: str, told: str) -> None:
    answer = get(served, parameters)
    assert answer.status == 400
    assert told.lower() in answer.error.lower()
    assert len(answer.error) < 400


@pytest.mark.parametrize("index", ["nowhere", "../tiny", "n" * 5_000])
def test_an_unknown_index_is_a_404_that_names_those_there_are(served: RunningApp, index: str) -> None:
    answer = search(served, "sort", index=index)
    assert (answer.status, "tiny" in answer.error) == (404, True)
    assert len(answer.error) < 500


def test_the_route_is_described_and_counted(served: RunningApp) -> None:
    assert search(served, "sort").status == 200
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=PATIENCE_S)
    connection.request("GET", "/openapi.json")
    described = json.loads(connection.getresponse().read())["paths"][PATH]["get"]
    assert {each["name"] for each in described["parameters"]} >= {"q", "top_k", "index"}
    connection.request("GET", "/metrics")
    assert f'http_requests_total{{route="{PATH}",status="200"}}' in connection.getresponse().read().decode()
    connection.close()


def test_many_visitors_on_both_endpoints_all_get_their_own_answer(served: RunningApp) -> None:
    def own(number: int) -> bool:
        query = f"open the file number {number % 20}"
        if number % 2:
            answer = search(served, query, top_k=1).json
        else:
            [answer] = endpoint(served, query, top_k=1).json["data"]
        return bool(answer["query"] == query and answer["hits"][0]["text"] == query)

    with ThreadPoolExecutor(64) as visitors:
        assert all(visitors.map(own, range(200)))
