"""Back and forward in a real headless Chromium: views and queries that were entered, and nothing in between."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser_page import opened, search, wait_for_answer
from tests.page_server import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.model]

NOTE_ADDRESSES = """
const replace = history.replaceState.bind(history);
window.addresses = [];
history.replaceState = (state, title, address) => {
  window.addresses.push(address);
  return replace(state, title, address);
};
"""


def expect_search(page: Page, query: str, title: str) -> None:
    expect(page.locator("#query input")).to_have_value(query)
    expect(page.locator("#views [data-tab-id=search]")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".hit h3").first).to_have_text(title)


def test_back_goes_to_the_query_and_the_view_before(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        search(page, "order numbers in a list")
        expect(page.locator(".hit h3").first).to_have_text("sort a list of numbers")
        wait_for_answer(page)
        search(page, "read a csv file")
        expect(page.locator(".hit h3").first).to_have_text("read a csv file into a table")
        wait_for_answer(page)
        page.get_by_role("tab", name="Compare").click()
        page.wait_for_url("**view=compare*")
        page.go_back()
        expect_search(page, "read a csv file", "read a csv file into a table")
        page.go_back()
        expect_search(page, "order numbers in a list", "sort a list of numbers")
        page.go_back()
        expect(page.locator("#query input")).to_have_value("")
        expect(page.locator("#results .invitation")).to_be_visible()
        page.go_forward()
        expect_search(page, "order numbers in a list", "sort a list of numbers")
        assert page.url.startswith(served.url)


def test_a_link_keeps_its_address_until_the_page_has_read_it(browser: Browser, served: RunningApp) -> None:
    page = browser.new_page()
    page.add_init_script(NOTE_ADDRESSES)
    page.goto(f"{served.url}?q=read+a+csv+file&view=compare")
    page.wait_for_selector("body[data-arrived]")
    addresses = page.evaluate("window.addresses")
    assert [each for each in addresses if "q=read+a+csv+file" not in each or "view=compare" not in each] == []
    page.close()


def test_the_address_follows_even_if_the_link_could_not_be_read(browser: Browser, served: RunningApp) -> None:
    page = browser.new_page()
    page.route("**/run/predict*", lambda route: route.fulfill(status=503, json={"error": "busy"}))
    page.goto(served.url)
    page.wait_for_selector("body[data-arrived]")
    page.unroute("**/run/predict*")
    search(page, "read a csv file")
    page.wait_for_url("**q=read+a+csv+file*")
    page.close()


def test_typing_adds_one_history_entry(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        for text in ("read", "read a", "read a csv file"):
            page.fill("#query input", text)
            page.wait_for_url(f"**q={text.replace(' ', '+')}*")
        page.go_back()
        expect(page.locator("#results .invitation")).to_be_visible()


def test_a_text_without_an_answer_is_kept_for_a_reload(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        page.route("**/run/predict*", lambda route: None)  # no answer comes
        page.clock.install()
        page.fill("#query input", "read a csv file")
        page.clock.run_for(20_000)
        page.wait_for_url("**q=read+a+csv+file*")
        page.unroute("**/run/predict*")


def test_the_view_of_a_link_comes_back_when_the_tabs_forget_it(browser: Browser, served: RunningApp) -> None:
    forget = "document.querySelector('#views [data-tab-id=search]').click()"  # what a late mounting of the tabs does
    with opened(browser, served.url + "?view=benchmarks") as page:
        benchmarks = page.locator("#views [data-tab-id=benchmarks]")
        expect(benchmarks).to_have_attribute("aria-selected", "true")
        page.evaluate(forget)
        expect(benchmarks).to_have_attribute("aria-selected", "true")
        page.get_by_role("tab", name="Search").click()
        expect(benchmarks).to_have_attribute("aria-selected", "false")
        page.wait_for_timeout(300)
        expect(benchmarks).to_have_attribute("aria-selected", "false")
