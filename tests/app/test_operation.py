"""What operators see of the real app, and what browsers and strangers are told: health, metrics, headers, names."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.page_server import RunningApp, running_app
from tests.raw_calls import call, send
from tests.support import PATIENCE_S, wait_until

pytestmark = pytest.mark.model
SECRET = "a query that nobody else may read"


@pytest.fixture(scope="module")
def served(mcp_app: RunningApp) -> RunningApp:
    return mcp_app


def get(app: RunningApp, path: str, host: str | None = None, method: str = "GET") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=PATIENCE_S)
    connection.request(method, path, headers={} if host is None else {"Host": host, "Origin": f"http://{host}"})
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def metric(app: RunningApp, sample: str) -> float:
    text = get(app, "/metrics")[2]
    found = [line.rpartition(" ")[2] for line in text.splitlines() if line.rpartition(" ")[0] == sample]
    return float(found[0]) if found else 0.0


def test_health_tells_the_index_and_its_check(served: RunningApp) -> None:
    def checked() -> bool:
        return bool(json.loads(get(served, "/health")[2])["files_checked"] == "passed")

    status, _, text = get(served, "/health")
    known = json.loads(text)
    assert (status, known["status"], known["index"], known["documents"]) == (200, "ok", "tiny", 25)
    wait_until(checked)


def test_an_index_that_was_altered_is_not_well(tiny_index: Path, tmp_path: Path) -> None:
    index = shutil.copytree(tiny_index, tmp_path / "altered")
    with (index / "embeddings.npy").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\xff\xff\xff\x01")
    with running_app(tmp_path, "--index", str(index)) as app:
        wait_until(lambda: get(app, "/health")[0] == 503)
        assert json.loads(get(app, "/health")[2])["status"] == "unavailable"


def test_searches_and_their_stages_and_failures_are_counted(served: RunningApp) -> None:
    stage = 'search_stage_seconds_count{stage="rescore"}'
    before = {name: metric(served, name) for name in ("searches_total", "search_seconds_count", stage)}
    failed = 'search_failures_total{error="QueryError"}'
    failures = metric(served, failed)
    for _ in range(3):
        assert call(served, "search", ["sort a list", 3, None, None, True, True, None, None, None]).status == 200
    call(served, "search", [" ", 3, None, None, True, True, None, None, None])
    assert {name: metric(served, name) - value for name, value in before.items()} == dict.fromkeys(before, 3.0)
    assert metric(served, failed) - failures == 1
    assert metric(served, 'http_requests_total{route="/gradio_api/run/search",status="200"}') >= 3
    assert metric(served, "process_resident_memory_bytes") > 50e6
    assert metric(served, "index_rows") == 25


def test_comparisons_and_looks_under_the_hood_are_counted_too(served: RunningApp) -> None:
    names = {what: f'answer_seconds_count{{what="{what}"}}' for what in ("search", "compare", "hood")}
    before = {what: metric(served, name) for what, name in names.items()}
    assert call(served, "compare", ["sort a list", 3, None]).status == 200
    for view in ("hood", "compare", "search"):
        shown = call(served, "follow", [view, None, "sort a list", "tiny", None, 5, 100, 4, True, True, None, None])
        assert shown.status == 200
    after = {what: metric(served, name) - before[what] for what, name in names.items()}
    assert after == {"search": 1, "compare": 2, "hood": 1}
    assert 'calls_waiting{line="heavy"} 0.0' in get(served, "/metrics")[2]


def test_no_invented_path_becomes_a_label(served: RunningApp) -> None:
    for n in range(20):
        get(served, f"/invented-{n}")
        call(served, f"invented-{n}", [])
    assert "invented" not in get(served, "/metrics")[2]


def test_nobody_s_query_is_in_the_log_or_the_metrics(served: RunningApp) -> None:
    call(served, "search", [SECRET, 3, None, None, True, True, None, None, None])
    call(served, "search", [SECRET, {}, None, None, True, True, None, None, None])
    get(served, f"/?q={SECRET.replace(' ', '+')}")
    assert SECRET.split(maxsplit=1)[1] not in served.output + get(served, "/metrics")[2]
    assert SECRET.replace(" ", "+") not in served.output


def test_the_start_is_reported_with_size_and_time(served: RunningApp) -> None:
    lines = served.output.splitlines()
    opened, serving = (next(line for line in lines if line.startswith(word)) for word in ("Searcher", "Serving"))
    assert "25 rows" in opened
    assert re.search(r"\d+\.\d s", opened)
    assert re.search(r"after \d+\.\d s", serving)


@pytest.mark.parametrize("path", ["/", "/config", "/health", "/gradio_api/info", "/nowhere"])
def test_every_answer_has_the_headers_of_a_careful_server(served: RunningApp, path: str) -> None:
    headers = get(served, path)[1]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["object-src"] == "'none'"
    assert "https://huggingface.co" in policy["frame-ancestors"]
    assert "*" not in policy["default-src"]


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/gradio_api/mcp/", "/health", "/metrics"])
def test_another_site_whose_name_points_here_gets_nothing(served: RunningApp, path: str) -> None:
    port = urlsplit(served.url).port
    for host in (f"evil.example:{port}", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example"):
        status, _, text = get(served, path, host)
        assert (status, "ALLOWED_HOSTS" in text) == (421, True)
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "LOCALHOST"):
        assert get(served, path, host)[0] not in (421, 500)


@pytest.fixture(scope="module")
def limited(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app that answers to two more names, and takes few uploads."""
    environment = {"ALLOWED_HOSTS": "demo.example, other.example", "OWN_MAX_TOTAL_MB": "1"}
    folder = tmp_path_factory.mktemp("limited")
    with running_app(folder, "--index", str(tiny_index), environment=environment) as running:
        yield running


def test_names_behind_a_proxy_are_answered_when_they_are_allowed(limited: RunningApp) -> None:
    statuses = [get(limited, "/config", host)[0] for host in ("demo.example", "other.example:443", "evil.example")]
    assert statuses == [200, 200, 421]


def test_half_sent_requests_keep_nobody_out(limited: RunningApp) -> None:
    """More connections than there may be, none of which says what it wants."""
    address = ("127.0.0.1", urlsplit(limited.url).port or 0)
    held = []
    try:
        for _ in range(1_100):
            connection = socket.create_connection(address, timeout=PATIENCE_S)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            held.append(connection)
        assert call(limited, "search", ["sort a list", 3, None, None, True, True, None, None, None]).status == 200
        assert metric(limited, "process_open_fds") < 1_200
    finally:
        for connection in held:
            connection.close()
    assert len(limited.output) < 20_000


def test_uploads_of_everybody_together_are_limited(limited: RunningApp) -> None:
    statuses = []
    for n in range(4):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
            + f"{n}\n".encode() * 200_000
            + b"\r\n--b--\r\n"
        )
        statuses.append(send(limited, "upload", body, "multipart/form-data; boundary=b").status)
    assert statuses == [200, 200, 200, 507]
    assert metric(limited, 'visitors{what="bytes"}') >= 1_000_000
    assert call(limited, "take_lines", ["a line"], "one").status == 200
    assert metric(limited, 'visitors{what="sessions"}') == 0
