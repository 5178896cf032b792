"""Take the pictures of the page that the README shows.

    .venv/bin/python scripts/screenshots.py --index assets/indexes/python
    .venv/bin/python scripts/screenshots.py --index DIR --query "parse json" --output assets/screenshots

Starts the app on the index, drives a headless Chromium (Debian's, or the one that CHROMIUM names), and writes every
view in three kinds: VIEW-light.png, VIEW-dark.png and VIEW-phone.png.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from retrieval import RetrievalError
from scripts.loading.server import served
from scripts.report.terminal import command, run

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: the view it shows, what to wait for there, and how the browser is set up for it."""

    view: str
    ready: str
    """A selector of what is there when the view has answered."""
    kind: str
    """`light`, `dark` or `phone`."""
    height: int = 900
    top: str | None = None
    """What the picture begins with, where that is not the top of the page."""

    @property
    def name(self) -> str:
        """Returns the name of the file."""
        return f"{self.view}-{self.kind}.png"

    @property
    def context(self) -> dict[str, Any]:
        """Returns the options of the browser's context."""
        is_phone = self.kind == "phone"
        return {
            "viewport": {"width": 360, "height": 740} if is_phone else {"width": 1280, "height": self.height},
            "color_scheme": "dark" if self.kind == "dark" else "light",
            "device_scale_factor": 2 if is_phone else 1,
        }


VIEWS = {
    "search": (".hit", 900),
    "compare": (".compare .columns", 1250),
    "hood": ("#hood-query[data-query]", 1250),
    "own": ("#own-bring", 900),
    "benchmarks": ("#benchmarks", 1250),
}
TOPS = {"hood": "#hood-hamming"}
SHOTS = tuple(
    Shot(view, ready, kind, height, TOPS.get(view))
    for view, (ready, height) in VIEWS.items()
    for kind in ("light", "dark", "phone")
)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--query", default="read a csv file into a table")
    made.add_argument("--output", type=Path, default=ROOT / "assets" / "screenshots", metavar="DIR")
    return made


def chromium_path() -> str:
    """Returns where Chromium is: the one that CHROMIUM names, else the one on the path.

    Raises:
        RetrievalError: if there is none.
    """
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise RetrievalError("no Chromium: install Debian's `chromium`, or name one in CHROMIUM.")
    return path


def take(browser: Browser, url: str, shot: Shot, query: str, output: Path) -> Path:
    """Writes one picture of a view that has answered `query`, and returns its path."""
    context = browser.new_context(**shot.context)
    page = context.new_page()
    address = f"{url}?{urllib.parse.urlencode({'q': query, 'view': shot.view})}"
    for _ in range(3):  # the first answers of a process meet cold caches: they are not what the page is like
        page.goto(address)
        page.wait_for_selector(shot.ready, timeout=60_000)
        page.wait_for_timeout(1200)
    if shot.top is not None:
        page.locator(shot.top).evaluate("part => part.scrollIntoView()")
        page.wait_for_timeout(300)
    path = output / shot.name
    page.screenshot(path=path)
    context.close()
    return path


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    args.output.mkdir(parents=True, exist_ok=True)
    with served(ROOT / "app.py", args.index) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_ARGUMENTS))
        for shot in SHOTS:
            print(take(browser, f"{server.url}/", shot, args.query, args.output))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
