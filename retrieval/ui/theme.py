"""Colours and fonts of the page. Fonts are the system's: nothing is loaded from the network."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradio.themes import Base, Color
from gradio.themes.utils import sizes

from retrieval.serving.visitor.limits import OwnLimits

ASSETS = Path(__file__).resolve().parents[2] / "assets"

_SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

# The page has the colour of the binary precision, because that is its subject.
_TEAL = Color(
    "#f0fdfa", "#ccfbf1", "#99f6e4", "#5eead4", "#2dd4bf", "#14b8a6", "#0f766e", "#115e59", "#134e4a", "#0f3d3a",
    "#042f2e", name="bits",
)  # fmt: skip
_INK = Color(
    "#fafaf9", "#f4f4f2", "#e7e6e2", "#d4d3ce", "#a3a29c", "#73726c", "#56554f", "#3f3e3a", "#272624", "#1a1917",
    "#0f0f0e", name="ink",
)  # fmt: skip

_OURS = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--muted)",
    "background_fill_primary": "var(--card)",
    "background_fill_secondary": "var(--paper)",
    "border_color_primary": "var(--line)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_label_text_color": "var(--muted)",
    "block_title_text_color": "var(--ink)",
    "block_title_text_weight": "600",
    "block_info_text_color": "var(--muted)",
    "block_shadow": "none",
    "block_padding": "0",
    "input_background_fill": "var(--card)",
    "input_border_color": "var(--line-strong)",
    "input_border_color_focus": "var(--binary)",
    "input_placeholder_color": "var(--muted)",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "link_text_color": "var(--link)",
    "link_text_color_hover": "var(--link)",
    "link_text_color_visited": "var(--link)",
    "slider_color": "var(--binary)",
    "checkbox_background_color_selected": "var(--binary)",
    "checkbox_border_color_selected": "var(--binary)",
    "checkbox_border_color": "var(--line-strong)",
    "button_primary_background_fill": "var(--action)",
    "button_primary_background_fill_hover": "var(--action-hover)",
    "button_primary_text_color": "var(--on-action)",
    "button_secondary_background_fill": "var(--card)",
    "button_secondary_background_fill_hover": "var(--hover)",
    "button_secondary_text_color": "var(--ink)",
    "button_border_width": "1px",
    "button_primary_border_color": "transparent",
    "button_secondary_border_color": "var(--line-strong)",
}
"""Gradio's variables in terms of those of `assets/style.css`, which know light from dark themselves."""

QUIET: Mapping[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""Options of an event that is answered at once: queueing a few milliseconds would cost more than it saves."""


class PageTheme(Base):  # type: ignore[misc]
    """The theme of the page; `assets/style.css` has what Gradio's variables do not cover."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=_TEAL,
            secondary_hue=_TEAL,
            neutral_hue=_INK,
            radius_size=sizes.radius_md,
            text_size=sizes.text_md,
            font=_SANS,
            font_mono=_MONO,
        )
        self.name = "bits"
        # Part of the theme's own stylesheet, which is applied as it is: Gradio rewrites the selectors of `css`.
        self.custom_css = _all("style.css", "*-view.css")
        # Gradio has its own values for the dark page: ours work for both.
        known = inspect.signature(self.set).parameters
        both = {name: value for key, value in _OURS.items() for name in (key, f"{key}_dark") if name in known}
        self.set(**both)


def launch_options() -> dict[str, Any]:
    """Returns the options of `launch` for the look of the page."""
    script = _all("page.js", "page-*.js", "*-view.js")
    description = '<meta name="description" content="Semantic search from sign bits in memory, measured.">'
    return {
        "theme": PageTheme(),
        "head": f"{description}<script>{script}</script>",
        "footer_links": ["api", "settings"],
        "run_history": False,
        "ssr_mode": False,
        "max_file_size": OwnLimits.from_environment(os.environ).max_upload_bytes,
    }


def _all(*patterns: str) -> str:
    """Returns the texts of the assets whose names match, one after the other: the page's own, then each view's."""
    paths = [path for pattern in patterns for path in sorted(ASSETS.glob(pattern))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)
