"""The comparison in a real browser: columns that are linked, and nothing cut off on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser_page import (
    DESKTOP,
    PHONE,
    assert_accessible,
    assert_nothing_is_cut_off,
    each_scheme,
    opened,
    search,
)
from tests.page_server import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.model]


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_url("**view=compare**")


def test_a_query_is_shown_in_six_columns_and_the_link_opens_it_again(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        open_tab(page)
        expect(page.locator("#compare .invitation")).to_be_visible()
        search(page, "order numbers in a list")
        expect(page.locator("#compare .verdict")).to_contain_text("of the float32 results")
        expect(page.locator("#compare .column")).to_have_count(6)
        expect(page.locator("#compare tbody tr")).to_have_count(6)
        expect(page.locator("#compare .ours .title").first).to_have_text("sort a list of numbers")
        page.wait_for_url("**q=order**")
        page.reload()
        expect(page.locator("#compare .column")).to_have_count(6)


def test_a_text_that_is_pointed_at_or_chosen_lights_up_in_every_column(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        open_tab(page)
        search(page, "read a csv file")
        first = page.locator("#compare .float32 .pick").first
        first.hover()
        expect(page.locator("#compare .pick.lit")).to_have_count(6)
        expect(page.locator("#compare .trace")).to_contain_text("ours #1")
        page.mouse.move(0, 0)
        expect(page.locator("#compare .pick.lit")).to_have_count(0)
        page.locator("#compare .ours .pick button").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator('#compare [aria-pressed="true"]')).to_have_count(6)
        page.keyboard.press("Escape")
        expect(page.locator("#compare .lit")).to_have_count(0)
        expect(page.locator("#compare .trace")).to_contain_text("Point at a result")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_cut_off_and_everything_is_accessible(
    browser: Browser, served: RunningApp, viewport: dict[str, int]
) -> None:
    address = served.url + "?q=a+very+long+line&view=compare"
    with opened(browser, address, viewport=viewport) as page:
        expect(page.locator("#compare .column")).to_have_count(6)
        for _ in each_scheme(page):
            assert_nothing_is_cut_off(page, "#compare .verdict", "#compare .columns", "#compare .figures")
            assert_accessible(page)
        page.locator("#compare .float32 .pick button").first.click()
        for _ in each_scheme(page):
            assert_accessible(page)


def test_on_a_phone_the_heads_stay_in_sight_while_the_columns_are_turned(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + "?q=sort+a+list&view=compare", viewport=PHONE) as page:
        expect(page.locator("#compare .column")).to_have_count(6)
        box = page.locator("#compare .columns")
        assert box.evaluate("box => box.scrollWidth > box.clientWidth")
        ours = page.locator("#compare .ours header")
        ours.scroll_into_view_if_needed()
        expect(ours).to_be_in_viewport(ratio=0.9)
        box.evaluate("box => { box.scrollTop = 400; }")
        expect(ours).to_be_in_viewport(ratio=0.9)


def test_an_emptied_query_brings_the_explanation_back(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        open_tab(page)
        search(page, "sort a list")
        expect(page.locator("#compare .column")).to_have_count(6)
        page.fill("#query input", "")
        expect(page.locator("#compare .invitation")).to_contain_text("What does one bit per dimension lose?")


def test_the_first_results_are_in_the_first_screen_of_a_laptop(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + "?q=sort+a+list&view=compare", viewport={"width": 1366, "height": 768}) as page:
        first = page.locator("#compare .column .pick").first
        expect(first).to_be_visible(timeout=30_000)
        assert first.evaluate("row => row.getBoundingClientRect().top + window.scrollY") < 500


def test_the_slider_of_candidates_moves_the_words_and_the_results_at_once(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + "?q=sort+a+list&view=compare") as page:
        slider = page.locator("#compare [data-slider]")
        expect(slider).to_be_visible(timeout=30_000)
        last = slider.evaluate("slider => slider.max")
        for end, key in ((0, "Home"), (int(last), "End")):
            slider.press(key)
            expect(slider).to_have_js_property("value", str(end))
            level = page.locator("#compare [data-level]").inner_text()
            expect(page.locator("#compare [data-found]")).to_contain_text(f"{level} candidates")
            kept = page.locator("#compare [data-kept]").evaluate_all(
                "(items, place) => items.map((item) => item.dataset.kept[place])", end
            )
            missed = page.locator("#compare [data-kept]").evaluate_all(
                "items => items.map((item) => item.matches('.missed') ? '0' : '1')"
            )
            assert missed == kept


def test_the_curves_of_candidates_are_named_and_no_label_is_cut_off_on_a_phone(
    browser: Browser, served: RunningApp
) -> None:
    with opened(browser, served.url + "?q=sort+a+list&view=compare", viewport=PHONE) as page:
        figure = page.locator("#compare .candidates figure")
        expect(figure).to_be_visible(timeout=30_000)
        assert figure.locator("svg g").count() == figure.locator(".swatch").count() == 2
        for swatch in figure.locator(".swatch").all():
            expect(swatch).to_be_visible()
        left = figure.evaluate("figure => figure.getBoundingClientRect().left")
        labels = figure.locator("svg text").evaluate_all("all => all.map((one) => one.getBoundingClientRect().left)")
        assert min(labels) >= left
