"""The Benchmarks view in a real headless Chromium: its tab, a measurement, the calculator, a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from retrieval.benchmark.figures.kept import keep_figures
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE
from tests.benchmark_json import RUN
from tests.browser_page import PHONE, assert_accessible, assert_nothing_is_cut_off, each_scheme, opened, search
from tests.page_server import RunningApp, running_app

pytestmark = [pytest.mark.browser, pytest.mark.model]

VIEW = "?view=benchmarks"


@pytest.fixture(scope="module")
def served(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    index = shutil.copytree(tiny_index, tmp_path_factory.mktemp("benchmarks") / "tiny")
    bundle = Bundle.open(index)
    own = {**RUN["index"], "binary_sha256": bundle.manifest.files[BINARY_FILE].sha256}
    keep_figures(bundle, {**RUN, "index": own})
    with running_app(tmp_path_factory.mktemp("served"), "--index", str(index)) as running:
        yield running


def test_the_tab_opens_and_a_measurement_gives_numbers(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        page.get_by_role("tab", name="Benchmarks").click()
        expect(page.locator("#claims")).to_contain_text("24.76x")
        expect(page.locator("#claims")).to_contain_text("22.20x")  # what was kept with the index
        expect(page.locator("#claims")).not_to_contain_text("Measured by you")
        page.get_by_role("button", name="Measure on this machine").click()
        expect(page.locator("#bench-measured .scans")).to_contain_text("sign bits")
        expect(page.locator("#claims")).to_contain_text("Measured by you")
        expect(page.locator("#bench-measured")).to_contain_text("recall@10")
        page.get_by_role("tab", name="Search").click()
        search(page, "read a csv file")
        expect(page.locator(".hit").first).to_be_visible()


def test_the_calculator_follows_the_typing(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + VIEW) as page:
        page.get_by_role("button", name="by arithmetic").click()
        answer = page.locator("#cost-answer")
        expect(answer).to_contain_text("$1,358")
        page.locator("#cost-inputs").get_by_label("Dimensions", exact=True).fill("1024")
        expect(answer).to_contain_text("953.67 GB")
        page.get_by_role("button", name="1 billion").click()
        expect(answer).to_contain_text("$14,495")
        for hostile in ("-5", "1e30", "0", ""):
            page.locator("#cost-inputs").get_by_label("Documents", exact=True).fill(hostile)
            expect(answer.locator(".note")).to_contain_text("Documents")
        page.locator("#cost-inputs").get_by_label("Documents", exact=True).fill("100000000")
        expect(answer).to_contain_text("381.46 GB")


def test_axe_finds_nothing_serious(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + VIEW) as page:
        expect(page.locator("#claims")).to_be_visible()
        page.evaluate("document.querySelectorAll('#benchmarks .fold').forEach((part) => { part.open = true; })")
        expect(page.locator("#plots .chart > svg").nth(3)).to_be_visible()
        page.locator("#plots .numbers summary").first.click()
        page.get_by_role("button", name="by arithmetic").click()
        page.get_by_text("computed with this calculator").click()
        for _ in each_scheme(page):
            assert_accessible(page)


def test_nothing_is_cut_off_on_a_phone(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + VIEW, viewport=PHONE) as page:
        expect(page.locator("#claims")).to_be_visible()
        page.evaluate("document.querySelectorAll('#benchmarks .fold').forEach((part) => { part.open = true; })")
        page.get_by_role("button", name="by arithmetic").click()
        expect(page.locator("#cost-answer")).to_be_visible()
        parts = (
            "#needs-inputs",
            "#needs-answer",
            "#claims",
            "#measure",
            "#plots",
            "#cost-inputs",
            "#cost-answer .costs",
        )
        assert_nothing_is_cut_off(page, *parts)


def test_it_opens_with_a_recommendation_that_follows_the_inputs(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + VIEW) as page:
        take = page.locator("#needs-answer .take")
        expect(take).to_contain_text("Take", timeout=30_000)
        first = page.locator("#needs-answer .answer").inner_text()
        page.locator("#needs-inputs").get_by_label("Documents", exact=True).fill("100000000")
        expect(page.locator("#needs-answer .answer")).not_to_have_text(first, timeout=30_000)
        page.locator("#needs-inputs").get_by_label("Documents", exact=True).fill("0")
        expect(page.locator("#needs-answer .note")).to_be_visible(timeout=30_000)
