"""`make milvus-demo`: the page over a server that it starts itself, with every view; nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.browser_page import opened, search
from tests.conftest import random_texts
from tests.page_server import app_environment, free_port
from tests.support import PATIENCE_S, wait_until

DEMO = Path(__file__).parents[2] / "scripts" / "milvus_demo.py"
pytestmark = [pytest.mark.browser, pytest.mark.model]


@dataclass(frozen=True)
class Demo:
    """The command, which serves."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    folder: Path
    """Where it keeps what is temporary."""

    @property
    def token(self) -> str:
        """Returns the token that it made for its server."""
        [app] = [
            child for child in psutil.Process(self.process.pid).children() if "app.py" in " ".join(child.cmdline())
        ]
        return app.environ()["MILVUS_TOKEN"]


def is_served(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def demo(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    pytest.importorskip("milvus", reason="needs requirements-databases.txt")
    pytest.importorskip("pymilvus", reason="needs requirements-databases.txt")
    folder = tmp_path_factory.mktemp("demo")
    port, log = free_port(), folder / "demo.log"
    command = [sys.executable, str(DEMO), "--index", str(tiny_index), "--port", str(port)]
    environment = app_environment({"TMPDIR": str(folder)})
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, start_new_session=True)
    served = Demo(f"http://127.0.0.1:{port}/", process, log, folder)
    try:
        wait_until(lambda: is_served(served.url) or process.poll() is not None, 2 * PATIENCE_S, log.read_text)
        assert process.poll() is None, log.read_text()
        yield served
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE_S)


def test_a_search_is_answered_from_the_server(demo: Demo, browser: Browser) -> None:
    with opened(browser, demo.url) as page:
        search(page, "order numbers in a list")
        expect(page.locator("#results h3").first).to_have_text("sort a list of numbers")
        assert "Milvus" in page.content()
        assert demo.token not in page.content()
    with urllib.request.urlopen(f"{demo.url}health", timeout=PATIENCE_S) as answer:
        known = json.load(answer)
    assert (known["status"], known["engine"]) == ("ok", "answers")
    assert not any(secret in demo.log.read_text() for secret in (demo.token, demo.token.partition(":")[2]))


@pytest.mark.parametrize("view", ["compare", "hood"])
def test_a_view_that_reads_every_vector_says_why_it_cannot(demo: Demo, browser: Browser, view: str) -> None:
    with opened(browser, f"{demo.url}?view={view}&q=sort+a+list") as page:
        expect(page.locator(f"#{view}")).to_contain_text("milvus://")


def test_your_data_works_next_to_an_index_in_milvus(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    rows = ["an elephant plays the trumpet", *random_texts(60)]
    path.write_text("".join(json.dumps({"title": row}) + "\n" for row in rows))
    with opened(browser, f"{demo.url}?view=own") as page:
        page.set_input_files("#own-file input[type=file]", str(path))
        page.click("#own-build")
        expect(page.locator(".own-verdict")).to_be_visible()
        page.click("#own-search")
        search(page, "an animal that makes music")
        expect(page.locator("#results h3").first).to_have_text(rows[0])


def test_ctrl_c_ends_all_of_it(demo: Demo) -> None:
    processes = psutil.Process(demo.process.pid).children(recursive=True)
    assert any(process.name() == "milvus" for process in processes)
    os.killpg(demo.process.pid, signal.SIGINT)
    demo.process.wait(PATIENCE_S)
    gone, left = psutil.wait_procs(processes, timeout=PATIENCE_S)
    assert [process.pid for process in left] == []
    assert len(gone) >= 2
    assert [path.name for path in demo.folder.glob("milvus-*") if path.is_dir()] == []
