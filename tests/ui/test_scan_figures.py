"""The pictures of the scans, Under the hood."""

from __future__ import annotations

import re

import numpy as np
import pytest

from retrieval import Searcher
from retrieval.search.explanation.explain import Explanation, explain
from retrieval.ui.hood.scan_figures import lists_figure, table_figure
from tests.conftest import Build, FakeEncoder, random_texts
from tests.support import Reader


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(random_texts(300), lists=6).path, encoder=encoder, verify="never")


@pytest.fixture
def found(searcher: Searcher) -> Explanation:
    return explain(searcher, "sort a list", searcher.defaults)


def shown_numbers(html: str) -> list[float]:
    return [float(number.replace("&minus;", "-")) for number in re.findall(r"<strong>([^<]*)</strong>", html)]


def test_the_marked_sum_is_that_of_the_documents_bits(found: Explanation) -> None:
    html = table_figure(found)
    signs = 2.0 * found.document.bits - 1.0
    expected = [signs[:4] @ found.vector[:4], signs @ found.vector]
    np.testing.assert_allclose(shown_numbers(html), expected, atol=6e-4)
    place = int("".join(map(str, found.document.bits[:4].tolist())), 2)
    bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)"', html)
    assert len(bars) == 16
    assert [float(x) - 0.1 for kind, x in bars if kind == "near"] == pytest.approx([place])


def test_the_recall_of_each_number_of_lists_is_shown_and_that_of_all(searcher: Searcher) -> None:
    tuning = searcher.manifest.tuning
    assert tuning is not None
    recalls = [f"{each.recall:.3f}" for each in tuning.scans]
    assert sorted(re.findall(r"<strong>([\d.]+)</strong>", lists_figure(searcher.manifest))) == sorted(recalls)


def test_an_index_without_lists_says_so(build: Build) -> None:
    assert "no lists" in Reader(lists_figure(build(random_texts(30)).manifest)).text
