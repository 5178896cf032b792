"""The view "Under the hood" in a real browser: all steps, another document, the keys, and nothing cut off."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser_page import DESKTOP, PHONE, assert_accessible, assert_nothing_is_cut_off, each_scheme, opened
from tests.page_server import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.model]
LINK = "?view=hood&q=sort+a+list"


def marked_bits(page: Page) -> int:
    """Returns how many cells of one grid are marked as differing."""
    paths: list[str] = (
        page.locator("#hood-hamming .cells")
        .first.locator("path.differs")
        .evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
    )
    return sum(path.count("M") for path in paths)


def counted_bits(page: Page) -> int:
    return int(page.locator("#hood-hamming [data-count=distance]").inner_text())


def test_every_step_is_there_and_another_document_changes_the_bits(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + LINK) as page:
        expect(page.locator("#hood .step")).to_have_count(12)  # eleven, and the one to try
        expect(page.locator("#hood-tokens .token-list li").first).to_have_text("[CLS]")
        assert marked_bits(page) == counted_bits(page)
        for number in (1, 5):
            page.locator("#hood-document label").nth(number - 1).click()
            expect(page.locator("#hood-hamming h3 .number")).to_have_text(str(number), timeout=30_000)
            assert marked_bits(page) == counted_bits(page)
        page.fill("#query input", "read a csv file")
        expect(page.locator("#hood-query .lead")).to_contain_text("read a csv file", timeout=30_000)
        expect(page.locator("#hood-document input:checked")).to_have_count(1)


def test_fewer_dimensions_show_what_the_bits_lose(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + LINK) as page:
        for place, dim in ((1, 192), (3, 48)):
            page.locator("#hood-dims label").nth(place).click()
            expect(page.locator("#hood-dropped thead th").nth(2)).to_contain_text(f"{dim} bits", timeout=30_000)
        assert_nothing_is_cut_off(page, "#hood-fewer")


@pytest.mark.parametrize(
    ("viewport", "most"), [({"width": 1366, "height": 768}, 5_000), ({"width": 360, "height": 800}, 8_500)],
    ids=["laptop", "phone"],
)  # fmt: skip
def test_the_lesson_is_no_longer_than_it_must_be(
    browser: Browser, served: RunningApp, viewport: Any, most: int
) -> None:
    with opened(browser, served.url + LINK, viewport=viewport) as page:
        expect(page.locator("#hood .step .cells")).to_have_count(5, timeout=30_000)
        assert page.evaluate("document.documentElement.scrollHeight") <= most


def test_one_dimension_is_followed_through_all_pictures(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + LINK) as page:
        page.locator("#hood-floats .cells").focus()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
            page.keyboard.press(key)
        for step in ("floats", "bits", "hamming", "int8"):
            expect(page.locator(f"#hood-{step} .readout.told").first).to_contain_text("Dimension 50:")
        page.locator("#hood-bits .cells").hover(position={"x": 4, "y": 4})
        expect(page.locator("#hood-int8 .readout.told").first).to_contain_text("Dimension 0:")


def test_without_a_question_an_example_is_followed(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        page.get_by_role("tab", name="Under the hood").click()
        expect(page.locator("#hood .lead")).to_contain_text("An example")
        expect(page.locator("#hood .step .cells")).to_have_count(5)
        page.locator("#hood-document label").nth(1).click()
        expect(page.locator("#hood-hamming h3 .number")).to_have_text("2")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_cut_off_and_all_can_read_it(browser: Browser, served: RunningApp, viewport: Any) -> None:
    with opened(browser, served.url + LINK, viewport=viewport) as page:
        expect(page.locator("#hood .step .cells")).to_have_count(5)
        page.evaluate("document.querySelectorAll('#hood details').forEach((part) => { part.open = true; })")
        for _ in each_scheme(page):
            assert_nothing_is_cut_off(page, "#hood-query", "#hood-document", "#hood-document-steps")
            assert_accessible(page)
