"""The frontier as one HTML file to download: figures, machine, versions and settings, and nothing of the data."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import Wish
from retrieval.ui.frontier.advice_html import advice_html
from retrieval.ui.frontier.tables import charts_html, tables_html
from retrieval.ui.markup import data_size, escaped

_ASSETS = Path(__file__).resolve().parents[3] / "assets"
_PACKAGES = ("faiss-cpu", "numpy")
_COLOURS = (r"^:root \{(.*?)\n\}", r"^:root\.dark,.*?\{(.*?)\n\}")
"""What `style.css` sets for a light and for a dark page."""
_PAGE = """
body { margin: 0; background: var(--paper); color: var(--ink); font: var(--type-m)/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: var(--type-xl); line-height: 1.25; margin: 0 0 6px; }
footer { margin-top: 34px; padding-top: 12px; border-top: 1px solid var(--line); font-size: var(--type-s); color: var(--muted); }
:root { --font-mono: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
"""  # noqa: E501
_COPY = """
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
  button.textContent = "Copied";
});
"""


def report(frontier: Frontier, wish: Wish, machine: Mapping[str, Any], title: str = "Your vectors") -> str:
    """Returns a self-contained HTML document; it is light or dark like the reader's system.

    Args:
        frontier: what was measured.
        wish: what the recommendation and the settings are for.
        machine: what `about_machine` says about the machine that measured.
        title: what the vectors are called.
    """
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    ram = machine.get("ram_bytes")
    hardware = f"{machine.get('cpu', 'unknown processor')}, {machine.get('cores', '?')} cores" + (
        f", {data_size(int(ram))} of RAM" if ram else ""
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Frontier: {escaped(title)}</title><style>{_style()}</style></head>"
        f'<body class="gradio-container"><main><h1>How far can these vectors be compressed?</h1>'
        f"{charts_html(frontier, title)}{advice_html(frontier, wish)}{tables_html(frontier)}"
        f"<footer>Measured on {escaped(hardware)}; {escaped(machine.get('os', ''))}; {escaped(versions)}. "
        f"Written {made}. This file contains no vectors and no texts.</footer></main>"
        f"<script>{_COPY}</script></body></html>\n"
    )


def _style() -> str:
    """Returns the style sheet: the page's colours, and its rules for the frontier and for code."""
    page = (_ASSETS / "style.css").read_text(encoding="utf-8")
    light, dark = (re.search(pattern, page, re.DOTALL | re.MULTILINE) for pattern in _COLOURS)
    if light is None or dark is None:
        raise ValueError("style.css does not begin with the colours of a light and a dark page")
    colours = f":root {{{light[1]}}}\n@media (prefers-color-scheme: dark) {{ :root {{{dark[1]}}} }}"
    code = "\n".join(re.findall(r"^\.gradio-container \.code[^{]*\{[^}]*\}", page, re.MULTILINE))
    return colours + _PAGE + code + (_ASSETS / "frontier-view.css").read_text(encoding="utf-8")
