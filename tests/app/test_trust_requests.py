"""What one request may cost is bounded by the server: attacks on a served page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from retrieval.ui.request_limits import MAX_BODY_BYTES, MAX_QUERY_CHARS
from tests.page_server import RunningApp, running_app
from tests.raw_calls import RawAnswer, call, send

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def served(tiny_index: Path, uploads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    environment = {"GRADIO_TEMP_DIR": str(uploads), "OWN_MAX_MB": "1"}
    with running_app(tmp_path_factory.mktemp("served"), "--index", str(tiny_index), environment=environment) as running:
        yield running


def search(app: RunningApp, query: Any = "sort a list", **knobs: Any) -> RawAnswer:
    names = ("top_k", "num_candidates", "rescore_multiplier", "asymmetric", "rescore", "index", "scan", "probes")
    usual = {"top_k": 5, "asymmetric": True, "rescore": True}
    return call(app, "search", [query, *({**usual, **knobs}.get(name) for name in names)])


def follow(app: RunningApp, query: str, index: Any, *knobs: Any) -> str:
    """Returns what the page shows for values of its controls."""
    answer = call(app, "follow", ["search", None, query, index, None, *knobs, None, None])
    assert answer.status == 200, answer.body
    return answer.body.decode()


WRONG: list[Any] = [{}, [], "x", "3", 2.5, 1e30, -1, 0, True, 10**9, math.nan, math.inf, {"a": [1]}]


@pytest.mark.parametrize("name", ["top_k", "num_candidates", "rescore_multiplier"])
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_number_beyond_the_limits_is_answered_with_a_sentence(served: RunningApp, name: str, value: Any) -> None:
    told = search(served, **{name: value}).error
    assert told.lower().startswith(f"{name} is ")
    assert "a whole number from 1 to " in told


@pytest.mark.parametrize("value", [{}, [], "x", 3, True, "s" * 100_000], ids=["d", "l", "x", "3", "true", "long"])
def test_an_unknown_scan_is_answered_with_those_there_are(served: RunningApp, value: Any) -> None:
    told = search(served, scan=value).error
    assert "one of hamming, float-bits, lists is needed" in told
    assert len(told) < 500


def test_lists_are_refused_by_an_index_without_them(served: RunningApp) -> None:
    assert "has no lists, only hamming and float-bits" in search(served, scan="lists").error


@pytest.mark.parametrize("value", [{}, "x", 0, -1, 2.5, 10_001, math.nan], ids=repr)
def test_the_number_of_lists_is_bounded(served: RunningApp, value: Any) -> None:
    assert "Probes is " in search(served, scan="float-bits", probes=value).error


def test_the_float_scan_answers_programs(served: RunningApp) -> None:
    answer = search(served, scan="float-bits", probes=3).json["data"][0]
    assert answer["settings"]["scan"] == "float-bits"
    assert answer["settings"]["probes"] is None
    assert answer["latency"]["stages"]["hamming"] == 0 < answer["latency"]["stages"]["float_bits"]


@pytest.mark.parametrize("name", ["asymmetric", "rescore"])
@pytest.mark.parametrize("value", [{}, [], "x", 2.5], ids=repr)
def test_a_switch_of_the_wrong_type_is_answered_with_a_sentence(served: RunningApp, name: str, value: Any) -> None:
    assert "true or false is needed" in search(served, **{name: value}).error


def test_a_whole_number_with_a_point_is_one(served: RunningApp) -> None:
    [found] = search(served, top_k=2.0).json["data"]
    assert (len(found["hits"]), found["settings"]["top_k"]) == (2, 2)


@pytest.mark.parametrize("query", [{}, 3, None, ["a"], True], ids=repr)
def test_a_query_that_is_not_a_text_is_answered_with_a_sentence(served: RunningApp, query: Any) -> None:
    assert "a text is needed" in search(served, query).error
    assert "a text is needed" in call(served, "compare", [query, 5, None]).error


def test_a_query_is_answered_up_to_its_limit(served: RunningApp) -> None:
    assert search(served, "x" * MAX_QUERY_CHARS).json["data"][0]["hits"]
    for told in (search(served, "x" * (MAX_QUERY_CHARS + 1)), call(served, "compare", ["y" * 100_000, 5, None])):
        assert "at most 20,000" in told.error
    assert "at most 20,000" in follow(served, "z" * 100_000, "tiny", 5, 100, 4, True, True)


@pytest.mark.parametrize(
    "index", ["n" * 1_000_000, {"a": "b" * 1_000_000}, ["c" * 1_000_000], 3], ids=["s", "d", "l", "i"]
)
def test_a_long_name_is_not_repeated(served: RunningApp, index: Any) -> None:
    for answer in (search(served, index=index), call(served, "compare", ["x", 5, index])):
        assert len(answer.error) < 500
    assert len(follow(served, "a query", index, 5, 100, 4, True, True)) < 3_000


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_controls_of_the_page_are_bounded_too(served: RunningApp, value: Any, place: int) -> None:
    knobs: list[Any] = [5, 100, 4, True, True]
    knobs[place] = value
    assert "a whole number from 1 to " in follow(served, "sort a list", "tiny", *knobs)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("search", []), ("search", ["x"]), ("follow", []), ("follow", [{}] * 3), ("choose", [{}] * 8),
        ("look", [1] * 9),
        ("build", [{}, [], 3, "x", "", 1]), ("build", [None, None, None, None, None, 1e400]),
        ("refuse", ["x", "y"]), ("poll", [{}]),
        ("cost_answer", [{}, [], "x", math.nan, 1e308]), ("delete", [{}, {}]), ("start", [{}]), ("nowhere", []),
        ("arrive", [{}] * 9), ("reset", [{}] * 9), ("open_view", [{}] * 9), ("take_file", [{}]), ("take_file", ["x"]),
    ],
)  # fmt: skip
def test_no_call_ends_in_a_bare_error(served: RunningApp, name: str, data: list[Any]) -> None:
    answer = call(served, name, data)
    if answer.status >= 400:
        assert len(answer.error) > 20
    assert len(answer.body) < 100_000


def rss_bytes(app: RunningApp) -> int:
    return int(psutil.Process(app.process.pid).memory_info().rss)


@pytest.mark.parametrize("path", ["run/search", "queue/join", "call/search", "component_server", "run/take_lines"])
def test_a_large_body_is_not_read(served: RunningApp, path: str) -> None:
    before = rss_bytes(served)
    body = b'{"data": ["' + b"x" * 100_000_000 + b'"], "session_hash": "large"}'
    answer = send(served, path, body, "application/json")
    assert answer.status == 413
    assert "at most 3.0 MB" in answer.error
    assert rss_bytes(served) - before < 30_000_000


def test_a_body_that_hides_its_length_is_not_read(served: RunningApp) -> None:
    chunks = (b"x" * 100_000 for _ in range(1_000))
    assert send(served, "run/search", chunks, "application/json").status == 413
    assert next(chunks, None) is not None


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_is_refused_and_leaves_nothing(served: RunningApp, uploads: Path, chunked: bool) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="f%d.csv"\r\n\r\n'
    parts = [head % n + b"y" * 600_000 + b"\r\n" for n in range(20)]
    body = iter(parts) if chunked else b"".join(parts)
    assert send(served, "upload", body, "multipart/form-data; boundary=b").status == 413
    assert not [file for file in uploads.rglob("*") if file.is_file() and file.stat().st_size > 1_000]


def test_requests_of_the_page_are_within_the_limits(served: RunningApp) -> None:
    lines = "\n".join(['"a line" \\ with quotes'] * 40_000)
    assert len(json.dumps(lines)) < MAX_BODY_BYTES
    assert "pasted lines" in call(served, "take_lines", [lines]).body.decode()
    assert "at most 1.0 MB" in call(served, "take_lines", ["x" * 1_500_000]).body.decode()
