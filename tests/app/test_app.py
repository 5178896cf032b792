"""The command: which index, how it ends, and the real page answering programs."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import app
from retrieval import BuildProgress
from retrieval.indexing.progress_bar import ProgressBars
from tests.page_server import APP, SNIPPET, RunningApp, app_environment, free_port, running_app
from tests.support import PATIENCE_S, wait_until

# The client leaves its connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def run_app(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(APP), *arguments], cwd=folder, env=app_environment(environment), capture_output=True,
        text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "host", "port"),
    [
        ({}, "127.0.0.1", 7860),
        ({"SPACE_ID": "me/space"}, "0.0.0.0", 7860),
        ({"SPACE_ID": "me/space", "GRADIO_SERVER_NAME": "::", "GRADIO_SERVER_PORT": "7000"}, "::", 7000),
    ],
)
def test_host_and_port_follow_the_environment(environment: Mapping[str, str], host: str, port: int) -> None:
    args = app.parser(environment).parse_args([])
    assert (args.host, args.port) == (host, port)


@pytest.mark.parametrize(
    "arguments", [["--port", "x"], ["--port", "0"], ["--port", "99999"], ["--nonsense"], ["stray"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def one_line(errors: str) -> str:
    lines = errors.strip().splitlines()
    assert len(lines) == 1, errors
    assert lines[0].startswith("error: ")
    return lines[0]


def test_a_missing_index_ends_with_1_and_one_line(tmp_path: Path) -> None:
    ended = run_app("--index", "nowhere", "--port", str(free_port()), folder=tmp_path)
    assert ended.returncode == 1
    assert "nowhere" in one_line(ended.stderr)


def test_the_variable_index_dir_chooses_the_index(tmp_path: Path) -> None:
    ended = run_app("--port", str(free_port()), folder=tmp_path, INDEX_DIR="from-the-environment")
    assert ended.returncode == 1
    assert "from-the-environment" in one_line(ended.stderr)


def test_a_port_that_is_taken_ends_with_1_and_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_app("--index", "nowhere", "--port", str(port), folder=tmp_path)
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in one_line(ended.stderr)


def test_an_unknown_host_ends_with_1_and_one_line(tmp_path: Path) -> None:
    ended = run_app("--host", "no.such.host.invalid", "--port", str(free_port()), folder=tmp_path)
    assert ended.returncode == 1
    assert "no.such.host.invalid" in one_line(ended.stderr)


def test_the_progress_of_a_build_is_drawn_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    bars = ProgressBars()
    for progress in (
        BuildProgress("reading", 10, None), BuildProgress("note", message="3 rows had no text"),
        BuildProgress("encoding", 0, 20), BuildProgress("encoding", 20, 20), BuildProgress("writing", message="binary"),
    ):  # fmt: skip
        bars(progress)
    bars.close()
    written = capsys.readouterr()
    assert written.out == ""
    for part in ("3 rows had no text", "20/20", "writing binary"):
        assert part in written.err


@pytest.mark.model
def test_a_program_gets_hits_latency_and_settings(served: RunningApp) -> None:
    found = client(served).predict("order numbers in a list", top_k=3, api_name="/search")
    hit = found["hits"][0]
    assert hit["text"] == "sort a list of numbers"
    assert hit["body"] == SNIPPET
    assert hit["rank"] == 1
    assert hit["url"] == "https://stackoverflow.com/questions/1"
    assert 0 <= hit["hamming_distance"] <= 384
    assert hit["binary_rank"] >= 1
    assert hit["score"] > 0.7
    assert found["latency"]["total_ms"] > 0
    assert found["settings"]["top_k"] == 3
    json.dumps(found)


@pytest.mark.model
def test_a_program_compares_the_precisions(served: RunningApp) -> None:
    found = client(served).predict("order numbers in a list", top_k=3, api_name="/compare")
    methods = {method["key"]: method for method in found["methods"]}
    assert methods["float32"]["overlap"] == 3
    assert methods["ours"]["hits"][0]["text"] == "sort a list of numbers"
    json.dumps(found)


@pytest.mark.model
def test_a_program_is_told_what_is_wrong(served: RunningApp) -> None:
    with pytest.raises(AppError, match="The query is empty"):
        client(served).predict("  ", api_name="/search")
    with pytest.raises(AppError, match="top_k is 0"):
        client(served).predict("x", top_k=0, api_name="/search")
    assert "Traceback" not in served.output


@pytest.mark.model
@pytest.mark.parametrize("query", ["日本語で検索", "🐍🐍", "x" * 20_000, "\ud800 lone", "<script>alert(1)</script>"])
def test_any_text_is_answered(served: RunningApp, query: str) -> None:
    assert client(served).predict(query.encode("utf-8", "replace").decode(), api_name="/search")["hits"]


@pytest.mark.model
def test_only_the_endpoints_are_offered_to_programs(served: RunningApp) -> None:
    api: Any = client(served).view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ["/search", "/compare", "/indexes", "/frontier"]
    assert [p["parameter_name"] for p in api["named_endpoints"]["/search"]["parameters"]] == [
        "query", "top_k", "num_candidates", "rescore_multiplier", "asymmetric", "rescore", "index", "scan", "probes"
    ]  # fmt: skip


@pytest.mark.model
def test_several_programs_search_at_once(served: RunningApp) -> None:
    clients = [client(served) for _ in range(4)]
    queries = ["sort a list", "read a csv file", "open the file number 3", "open the file number 7"]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: clients[i % 4].predict(queries[i % 4], api_name="/search"), range(24)))
    texts = [answer["hits"][0]["text"] for answer in found]
    expected = [
        "sort a list of numbers",
        "read a csv file into a table",
        "open the file number 3",
        "open the file number 7",
    ]
    assert texts == expected * 6


@pytest.mark.model
def test_the_page_loads_nothing_from_other_hosts(served: RunningApp) -> None:
    with urllib.request.urlopen(served.url + "config", timeout=PATIENCE_S) as answer:
        config = json.load(answer)
    assert config["analytics_enabled"] is False
    assert not [sheet for sheet in config["stylesheets"] if sheet.startswith("http")]


@pytest.mark.model
def test_ctrl_c_ends_it_cleanly(tiny_index: Path, tmp_path: Path) -> None:
    with running_app(tmp_path, "--index", str(tiny_index)) as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE_S) == 0
        assert "Traceback" not in running.output


@pytest.mark.model
def test_without_a_public_link_the_page_says_so_and_continues(tiny_index: Path, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    proxies = {"HTTPS_PROXY": nowhere, "https_proxy": nowhere, "HTTP_PROXY": nowhere, "http_proxy": nowhere}
    # With an address of a share server given, the first thing to fetch is the tunnel program itself.
    proxies |= {"GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:9", "HF_HOME": str(tmp_path / "hub")}
    with running_app(tmp_path, "--index", str(tiny_index), "--share", environment=proxies) as running:
        wait_until(lambda: "No public link" in running.output, told=lambda: running.output)
        assert "frpc" in running.output
        assert "Traceback" not in running.output
        with urllib.request.urlopen(running.url + "config", timeout=PATIENCE_S) as answer:
            timers = [part for part in json.load(answer)["components"] if part["type"] == "timer"]
        assert timers  # it brings the note to the page, as test_browser.py sees
        assert client(running).predict("sort a list", api_name="/search")["hits"]


def client(running: RunningApp) -> Client:
    return Client(running.url, verbose=False, analytics_enabled=False)


@pytest.mark.model
def test_the_example_of_the_readme_runs(served: RunningApp, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (APP.parent / "README.md").read_text(encoding="utf-8")
    [example] = [part.split("```")[0] for part in readme.split("```python\n")[1:] if "gradio_client" in part]
    assert "http://127.0.0.1:7860/" in example
    exec(example.replace("http://127.0.0.1:7860/", served.url), {})
    printed = capsys.readouterr().out
    assert "read a csv file into a table" in printed
    assert "of the float32 results" in printed
