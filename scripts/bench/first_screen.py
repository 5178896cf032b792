"""What a visitor meets first, in a real browser: whole results, what moves, what is sent, how long a phone waits."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote_plus

from playwright.sync_api import Browser, BrowserContext, Page

SCREENS = {"laptop": (1366, 768), "phone": (360, 800), "above a keyboard": (360, 430)}
"""Width and height in pixels of the screens on which whole results are counted."""
_LATENCY_MS, _DOWN_BYTES, _UP_BYTES, _CPU_TIMES = 150, 1_638_400 // 8, 750_000 // 8, 4
"""The slow 4G phone that Lighthouse simulates: round trip, bytes per second down and up, and how much slower it is."""
_VISITS = 3
_SETTLED_MS = 1500
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
WHOLE_RESULTS = """[...document.querySelectorAll("#results .hit")]
  .map((hit) => hit.getBoundingClientRect())
  .filter((box) => box.top >= 0 && box.bottom <= innerHeight).length"""
_SENT_BYTES = "performance.getEntriesByType('navigation')[0].encodedBodySize"


def measure_first_screen(browser: Browser, url: str, query: str) -> dict[str, Any]:
    """Returns whole results and layout shift by screen, the bytes of the first HTML, and a phone's two visits."""
    answered = f"{url}?q={quote_plus(query)}"
    whole, shifts, sent_bytes = {}, {}, 0
    for name, (width, height) in SCREENS.items():
        page = browser.new_page(viewport={"width": width, "height": height})
        page.add_init_script(WATCH_SHIFTS)
        _visit(page, url)
        sent_bytes = int(page.evaluate(_SENT_BYTES))
        shifted = float(page.evaluate("window.shifted"))
        _visit(page, answered)
        page.wait_for_selector("#results .hit")
        page.wait_for_timeout(_SETTLED_MS)
        whole[name] = int(page.evaluate(WHOLE_RESULTS))
        shifts[name] = max(shifted, float(page.evaluate("window.shifted")))
        page.close()
    first_ms, second_ms = _on_a_phone(browser, url)
    return {
        "whole_results": whole,
        "layout_shift": shifts,
        "first_html_bytes": sent_bytes,
        "phone_first_visit_ms": first_ms,
        "phone_second_visit_ms": second_ms,
    }


def _visit(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#query input, #query textarea", timeout=60_000)
    page.wait_for_timeout(_SETTLED_MS)


def _on_a_phone(browser: Browser, url: str) -> tuple[float, float]:
    """Returns the medians, in milliseconds, until the query box is there: on a first visit, and on a second one."""
    pairs = []
    for _ in range(_VISITS):
        width, height = SCREENS["phone"]
        context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=2, is_mobile=True, has_touch=True
        )
        pairs.append((_usable_after_ms(context, url), _usable_after_ms(context, url)))
        context.close()
    first, second = (sorted(times)[_VISITS // 2] for times in zip(*pairs, strict=True))
    return first, second


def _usable_after_ms(context: BrowserContext, url: str) -> float:
    page = context.new_page()
    browser_protocol = context.new_cdp_session(page)
    browser_protocol.send("Network.enable")
    browser_protocol.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": _LATENCY_MS,
            "downloadThroughput": _DOWN_BYTES,
            "uploadThroughput": _UP_BYTES,
        },
    )
    browser_protocol.send("Emulation.setCPUThrottlingRate", {"rate": _CPU_TIMES})
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#query input, #query textarea", timeout=120_000)
    elapsed_ms = (time.perf_counter() - start) * 1e3
    page.wait_for_timeout(_SETTLED_MS)
    page.close()
    return elapsed_ms
