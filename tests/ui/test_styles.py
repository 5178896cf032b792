"""The style sheets: one scale of type, and every size of the page on it."""

from __future__ import annotations

import re

import pytest

from retrieval.ui.theme import ASSETS

SHEETS = sorted(path.name for path in ASSETS.glob("*.css"))
_SIZE = re.compile(r"font-size:\s*([^;}]+?)\s*(?:!important\s*)?[;}]")
_SHORTHAND = re.compile(r"font:\s*([^;}]+?)\s*[;}]")
_SERIES = re.compile(r"--c:\s*var\((--[\w-]+)\)")
_COLOUR = re.compile(r"(--[\w-]+):\s*(#[0-9a-f]{6});")
_STEP = re.compile(r"(--type-\w+):\s*(\d+)px")


def _text(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def test_the_scale_has_six_sizes_each_larger_than_the_last() -> None:
    steps = dict(reversed(_STEP.findall(_text("style.css"))))  # the first one of a name holds; a phone may have its own
    sizes = [int(size) for size in reversed(steps.values())]
    assert len(steps) == 6
    assert sorted(sizes) == sizes
    assert len(set(sizes)) == 6


@pytest.mark.parametrize("name", SHEETS)
def test_no_sheet_has_a_size_off_the_scale(name: str) -> None:
    known = {f"var({step})" for step, _ in _STEP.findall(_text("style.css"))} | {"inherit"}
    assert set(_SIZE.findall(_text(name))) <= known
    assert set(_SHORTHAND.findall(_text(name))) <= {"inherit"}


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", [*dict.fromkeys(_SERIES.findall(_text("frontier-view.css")))])
def test_the_series_of_a_chart_stand_out_from_its_ground(theme: str, colour: str) -> None:
    """WCAG 2.2, 1.4.11: graphics need a contrast of at least 3 to 1."""
    light, dark = (dict(_COLOUR.findall(block)) for block in _text("style.css").split(":root.dark", 1))
    colours = light if theme == "light" else dark
    darker, lighter = sorted((_luminance(colours[colour]), _luminance(colours["--card"])))
    assert (lighter + 0.05) / (darker + 0.05) >= 3
