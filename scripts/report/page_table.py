"""The table of what scripts/page_latency.py measures."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.report.markdown import Figures, markdown

_NAMES = {"search": "Search", "compare": "Compare", "hood": "Under the hood"}


def page(figures: Figures) -> Iterator[str]:
    """Yields the figures as a table of Markdown."""
    views = figures["views"]
    header = ["ms, p50 (p95)", "keypress to painted", "of it, the request", "of it, the search"]
    rows = [
        [_NAMES[name], *(_cell(view[key]) if key in view else "-" for key in ("painted", "request", "search"))]
        for name, view in views.items()
    ]
    yield from markdown(header, rows)
    yield ""
    first = next(iter(views.values()))
    yield (
        f"{first['queries']} queries a view, one visitor, warm, headless Chromium on the same machine; without the "
        f"{first['pause_ms']} ms that the page waits for the typing to pause."
    )


def _cell(found: Figures) -> str:
    return f"{found['p50_ms']:.0f} ({found['p95_ms']:.0f})"
