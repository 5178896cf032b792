"""The page over a server that crashes and is started again on the same data: it tells so, and goes on by itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from retrieval.milvus.address import MilvusAddress
from scripts.packaged_milvus import packaged_milvus
from tests.browser_page import opened, search, wait_for_answer
from tests.milvus.conftest import Load
from tests.page_server import running_app
from tests.support import PATIENCE_S, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.model]


def status_of(url: str) -> str:
    try:
        with urllib.request.urlopen(f"{url}health", timeout=PATIENCE_S) as answer:
            return str(json.load(answer)["status"])
    except urllib.error.HTTPError as error:
        return str(json.load(error)["status"])


def first_hit(page: Page, query: str) -> str:
    """Returns the title of the first hit; empty when there is none, as while the collection comes into memory."""
    search(page, query)
    wait_for_answer(page)
    titles = page.locator("#results h3").all_inner_texts()
    return titles[0] if titles else ""


def test_the_page_tells_a_crash_and_continues_when_the_server_is_back(
    loaded: Load, tiny_index: Path, browser: Browser, tmp_path: Path
) -> None:
    with packaged_milvus(tmp_path / "server") as server:
        address = loaded(tiny_index, MilvusAddress.parse(f"{server.uri}/tiny"))
        with running_app(tmp_path, "--index", str(address)) as app, opened(browser, app.url) as page:
            search(page, "order numbers in a list")
            expect(page.locator("#results h3").first).to_have_text("sort a list of numbers")
            server.kill()
            expect(page.locator("#engine-note .banner")).to_contain_text(f"127.0.0.1:{server.port}")
            assert status_of(app.url) == "unavailable"
            search(page, "read a csv file")
            expect(page.locator("#results h3")).to_have_count(0)
            server.start()
            expect(page.locator("#engine-note .banner")).to_have_count(0)
            wait_until(lambda: status_of(app.url) == "ok")
            wait_until(lambda: first_hit(page, "open the file number 7") == "open the file number 7")
