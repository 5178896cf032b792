"""A real headless Chromium on the page: opening it, asking, and what no page may show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
PATIENCE_MS = 60_000
"""How long a test waits for what must come: a busy machine takes its time, and what comes sooner ends the wait."""
expect.set_options(timeout=PATIENCE_MS)

_NOTE_COPIES = """
new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.textContent === "Copied")) document.body.dataset.copied = "";
}).observe(document, { childList: true, subtree: true });
"""
_SERIOUS = ("serious", "critical")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yields a browser; without one, skips the test, or fails it where the tests must all run."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        reason = "no Chromium: install Debian's `chromium`, or name one in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield launched
        launched.close()


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Yields the page in a context of its own; fails on console errors and on requests to another host."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_NOTE_COPIES)
    page = context.new_page()
    page.on("console", lambda line: complaints.append(f"console: {line.text}") if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("request", lambda request: complaints.append(request.url) if is_foreign(request.url, url) else None)
    page.goto(url)
    expect(page.locator("#index input")).to_be_visible()
    page.wait_for_selector("body[data-arrived]")  # what the page asks on arrival is answered
    yield page
    context.close()
    assert complaints == []


def is_foreign(address: str, home: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != urlsplit(home).netloc


def search(page: Page, query: str) -> None:
    page.fill("#query input", query)
    page.press("#query input", "Enter")


def wait_for_answer(page: Page) -> None:
    """Waits until nothing is asked any more: the answer is shown, and the address tells it."""
    page.wait_for_selector("body:not(.asking)")


def wait_for_copied(page: Page) -> None:
    """Waits until a button has said "Copied", which it does for a moment only."""
    page.wait_for_selector("body[data-copied]")


def open_settings(page: Page) -> None:
    """Unfolds the settings, once no answer is pending that would set them again."""
    wait_for_answer(page)
    page.get_by_role("button", name="Settings").first.click()
    expect(page.locator("#settings")).to_be_visible()


def each_scheme(page: Page) -> Iterator[str]:
    """Yields once in light and once in dark colours: an open page follows the choice of the system."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            "isDark => (document.querySelector('.dark') !== null) === isDark "
            "&& document.getAnimations().every((each) => !(each instanceof CSSTransition))",
            arg=scheme == "dark",
        )
        yield scheme


def assert_accessible(page: Page) -> None:
    """Fails on findings of axe-core that its authors call serious or critical."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})  # details of what passed take longest
    told = [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found.response["violations"]
        if violation["impact"] in _SERIOUS
        for node in violation["nodes"]
    ]
    assert told == []


def assert_nothing_is_cut_off(page: Page, *parts: str) -> None:
    """Fails where the page scrolls sideways, or one of the parts (selectors) reaches beyond its edge."""
    width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room
    for part in parts:
        box = page.locator(part).bounding_box()
        assert box is not None, part
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= room, part
