"""The style sheets: one scale of type, and every size of the page on it."""

from __future__ import annotations

import re

import pytest

from retrieval.ui.theme import ASSETS

SHEETS = sorted(path.name for path in ASSETS.glob("*.css"))
_SIZE = re.compile(r"font-size:\s*([^;}]+?)\s*(?:!important\s*)?[;}]")
_SHORTHAND = re.compile(r"font:\s*([^;}]+?)\s*[;}]")
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
