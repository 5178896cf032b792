"""Measure the page as a visitor meets it: from the last keypress to the painted answer, in a real browser.

    .venv/bin/python scripts/page_latency.py --index assets/indexes/python --queries questions.txt --json page.json

Starts the app on the index and drives a headless Chromium through Search, Compare and Under the hood: one visitor,
warm. The pause that the page waits for while one types is left out, and given with the figures. What is not the
request is the browser's share; what is the request but not the search is Gradio's and the page's own.

The first screen is measured, too: whole results on a laptop and a phone, layout shift, the bytes of the first HTML, and
how long a simulated phone waits for the query box.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

from retrieval import QueryError
from retrieval.benchmark.machine import when_and_where
from retrieval.benchmark.timings import percentiles
from scripts.bench.first_screen import measure_first_screen
from scripts.loading.server import served
from scripts.report import speed_tables
from scripts.report.terminal import command, read_queries, run, write_figures
from scripts.screenshots import CHROMIUM_ARGUMENTS, ROOT, chromium_path

VIEWS = {
    "search": ("#results", "document.querySelector('#results .summary')?.textContent"),
    "compare": (".compare", "document.querySelector('.compare')?.textContent"),
    "hood": ("#hood-query", "document.querySelector('#hood-query')?.dataset.query"),
}
"""By view: what must be there, and a text that is another one after each answer."""
_WARM_UP_QUERIES = 5
_LIMIT_MS = 20_000
_WATCH = """
([witness]) => {
  const read = () => eval(witness);
  window.painted = [];
  let pressed = 0;
  let last = read();
  document.addEventListener("input", () => { pressed = performance.now(); last = read(); }, true);
  new MutationObserver(() => {
    if (!pressed || read() === last) return;
    const start = pressed;
    pressed = 0;
    requestAnimationFrame(() => setTimeout(() => {
      const calls = performance.getEntriesByType("resource").filter((entry) => entry.name.includes("/run/"));
      window.painted.push([performance.now() - start, calls.at(-1)?.duration ?? null]);
      performance.clearResourceTimings();
    }));
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}
"""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--queries", type=Path, required=True, metavar="FILE", help="one query per line")
    made.add_argument("--limit", type=int, default=50, metavar="N", help="queries per view (default 50)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return made


def measure_view(page: Page, url: str, view: str, queries: Sequence[str]) -> dict[str, Any]:
    """Returns the milliseconds of one view: `painted`, `request` and, for Search, `search`, each with p50 and p95.

    Raises:
        QueryError: if an answer does not come.
    """
    needed, witness = VIEWS[view]
    page.goto(f"{url}?view={view}&q=warm+up")
    page.wait_for_selector(needed, state="attached", timeout=60_000)
    page.wait_for_timeout(2000)
    page.evaluate(_WATCH, [witness])
    searches = []
    for number, query in enumerate(queries, start=1):
        page.fill("#query input", query)
        try:
            page.wait_for_function("count => window.painted.length >= count", arg=number, timeout=_LIMIT_MS)
        except PlaywrightError as error:
            raise QueryError(f"the view {view} did not answer {query!r}: {error}") from error
        if view == "search":
            searches.append(float(page.locator("#latency .figure").inner_text().split()[0]))
        page.wait_for_timeout(150)
    painted = page.evaluate("window.painted")[_WARM_UP_QUERIES:]
    pause_ms = page.evaluate("window.pauseMs")
    figures = {
        "queries": len(painted),
        "painted": percentiles([total - pause_ms for total, _ in painted]),
        "request": percentiles([request for _, request in painted if request is not None]),
        "pause_ms": pause_ms,
    }
    return {**figures, "search": percentiles(searches[_WARM_UP_QUERIES:])} if searches else figures


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    queries = read_queries(args.queries)
    views = {}
    with served(ROOT / "app.py", args.index) as server, sync_playwright() as playwright:
        url = f"{server.url}/"
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_ARGUMENTS))
        for view in VIEWS:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            views[view] = measure_view(page, url, view, queries[: args.limit + _WARM_UP_QUERIES])
            page.close()
        first_screen = measure_first_screen(browser, url, queries[0])
        browser.close()
    figures = {**when_and_where(), "views": views, "first_screen": first_screen}
    print("\n".join(speed_tables.page(figures)))
    if args.json:
        write_figures(args.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
