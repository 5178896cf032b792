"""Calls that no browser makes, to every endpoint and handler of the real page: each is answered, nobody is told more.

What must hold of each answer: it comes, errors are sentences, nothing of the server's files is in it. Afterwards, the
log holds nothing of what was sent, and a search finds what it found before.
"""

from __future__ import annotations

import http.client
import json
import socket
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.cases import cases, counted, json_values, texts
from tests.page_server import RunningApp
from tests.raw_calls import RawAnswer, call, file_data, send
from tests.support import is_alive

pytestmark = pytest.mark.model
MARK = "zq7-typed-by-a-visitor"
KNOWN = (
    "search",
    "compare",
    "hood",
    "own",
    "benchmarks",
    "tiny",
    "hamming",
    "float-bits",
    "sort a list",
    "?q=sort",
    "ram",
)
PARAMETERS = (
    "q", "index", "top_k", "num_candidates", "rescore_multiplier", "asymmetric", "rescore", "scan", "probes", "x",
)  # fmt: skip
PATHS = tuple(
    """
queue/join queue/data queue/status cancel reset component_server upload upload_progress file=/etc/passwd
file/etc/passwd proxy=http://127.0.0.1:1/ stream/a/b/c custom_component/x/y/z call/search api/search info startup-events
theme.css heartbeat login token dev/reload mcp/ run/search process_recording static/../../app.py
assets/..%2f..%2fapp.py svelte/x monitoring vibe-edit pages
""".split()
)
marked = texts.map(lambda text: f"{text}{MARK}")


def with_mark(value: Any) -> Any:
    """Returns the value with a mark in each of its texts, by which they are found in the log."""
    if isinstance(value, str):
        return f"{value[:5_000]}{MARK}"
    if isinstance(value, dict):
        return {with_mark(key): with_mark(each) for key, each in value.items()}
    return [with_mark(each) for each in value] if isinstance(value, list) else value


values = (
    json_values.map(with_mark) | st.sampled_from(KNOWN) | st.integers(0, 60) | st.booleans()
    | st.just(file_data("/etc/passwd")) | marked
)  # fmt: skip


@pytest.fixture(scope="module")
def endpoints(served: RunningApp) -> list[tuple[str, int]]:
    """Returns every endpoint and handler that can be called, with how many values it takes."""
    with urllib.request.urlopen(f"{served.url}config", timeout=60) as answer:
        config = json.load(answer)
    found = [(each["api_name"], len(each["inputs"])) for each in config["dependencies"] if each["backend_fn"]]
    return [*dict.fromkeys((name, count) for name, count in found if name)]


def get(app: RunningApp, path: str) -> RawAnswer:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return RawAnswer(answer.status, answer.read(50_000))
    finally:
        connection.close()


def hits(app: RunningApp) -> list[tuple[int, float]]:
    answer = get(app, "/api/search?q=sort+a+list&top_k=5")
    return [(hit["row"], hit["score"]) for hit in answer.json["hits"]]


def assert_told(answer: RawAnswer) -> None:
    """Checks an answer: an error is a short sentence, and no file or place of the server is in it."""
    assert b"root:" not in answer.body
    assert b"site-packages" not in answer.body
    assert b"Traceback" not in answer.body
    if answer.status >= 400:
        assert len(answer.body) < 5_000
        assert answer.status != 500 or len(answer.error) > 20


def test_the_handlers_are_all_there(endpoints: list[tuple[str, int]]) -> None:
    names = {name for name, _ in endpoints}
    assert {"search", "compare", "frontier", "follow", "choose", "take_file", "look", "build", "poll"} <= names
    assert len(endpoints) > 25


@cases(40)
@given(st.data())
@counted
def test_any_values_to_any_handler(served: RunningApp, endpoints: list[tuple[str, int]], data: st.DataObject) -> None:
    name, count = data.draw(st.sampled_from(endpoints))
    if data.draw(st.integers(0, 4)) == 0:
        count = data.draw(st.integers(0, 25))
    sent = [data.draw(values) for _ in range(count)]
    assert_told(call(served, name, sent, data.draw(st.sampled_from(["one", "two", "\u2028", ""]))))
    assert served.process.poll() is None


@cases(30)
@given(st.dictionaries(st.sampled_from(PARAMETERS), values.map(str) | st.integers(-5, 10**12).map(str)))
@counted
def test_any_parameters_of_the_json_route(served: RunningApp, parameters: dict[str, str]) -> None:
    answer = get(served, f"/api/search?{urlencode(parameters, errors='replace')}")
    assert_told(answer)
    assert answer.status in (200, 400, 404)
    assert answer.json["hits"] if answer.status == 200 else len(answer.error) > 20


@cases(30)
@given(
    st.sampled_from(PATHS) | texts.map(lambda text: quote(text, errors="replace")),
    st.binary(max_size=200) | json_values.map(lambda value: json.dumps(with_mark(value)).encode()),
    st.sampled_from(["application/json", "text/plain", "multipart/form-data; boundary=b", "multipart/form-data", "x"]),
)
@counted
def test_any_body_to_any_path(served: RunningApp, path: str, body: bytes, content_type: str) -> None:
    answer = send(served, path, body, content_type)
    assert b"root:" not in answer.body
    assert b"Traceback" not in answer.body
    assert served.process.poll() is None


@cases(20)
@given(
    st.binary(max_size=100)
    | st.from_regex(r"(GET|POST|X{0,9}) /\S{0,30} HTTP/[\d.]{0,4}(\r\n[\w-]{0,9}: ?.{0,9}){0,4}\r\n\r\n").map(
        lambda text: text.encode("utf-8", "replace")
    )
)
@counted
def test_any_bytes_to_the_port(served: RunningApp, content: bytes) -> None:
    address = urlsplit(served.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(content)
    assert served.process.poll() is None


def test_afterwards_the_search_is_right_and_the_log_has_nothing_of_it(
    served: RunningApp, endpoints: list[tuple[str, int]]
) -> None:
    before = hits(served)
    for name, count in endpoints:
        for sent in ([MARK] * count, [{MARK: [MARK]}] * (count + 1)):
            if sent:
                assert_told(call(served, name, sent))
    assert hits(served) == before
    assert json.loads(get(served, "/health").body)["status"] == "ok"
    assert is_alive(served.process.pid)
    assert MARK not in served.output, served.output[served.output.index(MARK) - 2_000 :][:3_000]
    assert "Traceback" not in served.output
