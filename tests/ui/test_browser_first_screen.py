"""What the first screen shows in a real headless Chromium: how many results, what stays in sight, what never moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from retrieval import build_index, load_encoder
from retrieval.corpus.base import CorpusInfo
from retrieval.corpus.files import FileCorpus
from scripts.bench.first_screen import WATCH_SHIFTS, WHOLE_RESULTS
from tests.browser_page import assert_nothing_is_cut_off, open_settings, opened, search, wait_for_answer
from tests.conftest import random_texts
from tests.page_server import RunningApp, running_app

pytestmark = [pytest.mark.browser, pytest.mark.model]

LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 800}
ABOVE_A_KEYBOARD = {"width": 360, "height": 430}
QUERY = "?q=read+a+csv+file"
_FOCUSED_AREA = """(() => {
  const box = document.activeElement.getBoundingClientRect();
  return box.width * box.height;
})()"""


_WAYS = ("boiled", "fried", "baked", "grilled", "steamed", "roasted", "raw")


class CodeFile(FileCorpus):
    """A file whose bodies are code."""

    @property
    def info(self) -> CorpusInfo:
        return replace(super().info, body_language="python", examples=("read a csv file",))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("screen")
    code = "\n".join(f"step_{number}(path)" for number in range(30))
    rows = [
        {"text": f"Read the csv file of {text} into a table of rows", "package": f"tables-{number}"}
        for number, text in enumerate(random_texts(30, seed=1))
    ]
    rows += [{"text": f"a recipe with long code, {way}", "package": "long", "body": code} for way in _WAYS]
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    path = build_index(CodeFile(path, body_column="body"), load_encoder(), folder / "screen").path
    with running_app(folder, "--index", str(path)) as running:
        yield running


def top_of(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"]


@pytest.mark.parametrize(
    ("viewport", "least"), [(LAPTOP, 7), (PHONE, 5), (ABOVE_A_KEYBOARD, 1)], ids=["laptop", "phone", "keyboard"]
)
def test_the_first_screen_has_enough_complete_results(
    browser: Browser, served: RunningApp, viewport: dict[str, int], least: int
) -> None:
    with opened(browser, served.url, viewport=viewport) as page:
        search(page, "read a csv file")
        expect(page.locator(".hit")).to_have_count(10)
        assert page.evaluate(WHOLE_RESULTS) >= least
        heights = page.evaluate("[...document.querySelectorAll('.hit')].map((hit) => hit.offsetHeight)")
        assert max(heights) <= 74
        assert page.locator(".masthead").bounding_box()["height"] <= 48  # type: ignore[index]


def test_the_whole_time_panel_is_next_to_the_results(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + QUERY, viewport=LAPTOP) as page:
        box = page.locator("#latency").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= LAPTOP["height"]


@pytest.mark.parametrize(("viewport", "most"), [(LAPTOP, 0.05), (PHONE, 0.1)], ids=["laptop", "phone"])
@pytest.mark.parametrize("address", ["", QUERY, "?view=own", "?view=benchmarks"])
def test_nothing_moves_while_the_page_loads(
    browser: Browser, served: RunningApp, viewport: dict[str, int], most: float, address: str
) -> None:
    page = browser.new_page(viewport={"width": viewport["width"], "height": viewport["height"]})
    page.add_init_script(WATCH_SHIFTS)
    page.goto(served.url + address)
    page.wait_for_selector("body[data-arrived]")
    page.wait_for_timeout(1000)
    assert page.evaluate("window.shifted") < most
    page.close()


@pytest.mark.parametrize(
    ("view", "shown"), [("search", ".hit"), ("compare", "#compare .column"), ("hood", "#hood .step")]
)
@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_question_and_the_tabs_stay_in_sight(
    browser: Browser, served: RunningApp, viewport: dict[str, int], view: str, shown: str
) -> None:
    with opened(browser, f"{served.url}{QUERY}&view={view}", viewport=viewport) as page:
        expect(page.locator(shown).first).to_be_visible()
        wait_for_answer(page)
        page.evaluate("scrollTo(0, 600)")
        assert 0 <= top_of(page, "#query input") < 60
        assert 40 < top_of(page, "#views [role=tab]") < 120


@pytest.mark.parametrize("view", ["own", "benchmarks"])
def test_the_query_bar_is_absent_where_nothing_is_asked(browser: Browser, served: RunningApp, view: str) -> None:
    with opened(browser, served.url + QUERY) as page:
        page.locator(f"#views [data-tab-id={view}]").click()
        expect(page.locator("#query input")).to_be_hidden()
        expect(page.locator("#settings-button")).to_be_hidden()
        expect(page.locator("#index")).to_be_visible()


def test_examples_are_shown_only_while_the_box_is_empty(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        expect(page.locator("#examples")).to_be_visible()
        page.fill("#query input", "r")
        expect(page.locator("#examples")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("#query input")).to_have_value("")
        expect(page.locator("#examples")).to_be_visible()


def test_the_settings_say_how_many_were_changed_and_close_on_escape(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + QUERY + "&k=3&rescore=0") as page:
        button = page.locator("#settings-button")
        expect(button).to_have_text("Settings \u00b7 2 changed")
        open_settings(page)
        expect(page.locator("#settings")).to_be_visible()
        page.get_by_role("button", name="Reset to defaults").click()
        expect(button).to_have_text("Settings")
        page.keyboard.press("Escape")
        expect(page.locator("#settings")).to_be_hidden()
        expect(button).to_be_focused()


def test_seven_results_with_code_are_whole_in_the_first_screen_of_a_laptop(
    browser: Browser, served: RunningApp
) -> None:
    with opened(browser, served.url + "?q=a+recipe+with+long+code", viewport=LAPTOP) as page:
        expect(page.locator(".hit.coded")).to_have_count(7)
        assert page.evaluate(WHOLE_RESULTS) >= 7


def test_code_is_folded_to_one_line_and_unfolds(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + "?q=a+recipe+with+long+code") as page:
        code = page.locator(".hit .code").first
        assert code.locator("pre").bounding_box()["height"] <= 19 + 8  # type: ignore[index]
        code.get_by_role("button", name="Show all 30 lines").click()
        assert code.locator("pre").bounding_box()["height"] > 30 * 18  # type: ignore[index]


def test_results_show_the_name_that_their_source_has_for_them(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + QUERY) as page:
        expect(page.locator(".hit .name").first).to_contain_text("tables-")


def test_a_screen_reader_hears_of_each_answer(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + QUERY) as page:
        expect(page.locator("[role=status]#announced")).to_contain_text("10 results")


def test_no_unseen_button_is_a_tab_stop(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + QUERY) as page:
        page.focus("#query input")
        for _ in range(12):
            page.keyboard.press("Tab")
            size = page.evaluate(
                "(({ width, height }) => width * height)(document.activeElement.getBoundingClientRect())"
            )
            assert size > 4


def test_nothing_is_cut_off_with_the_settings_open(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url + QUERY, viewport=PHONE) as page:
        open_settings(page)
        assert_nothing_is_cut_off(page, "#settings", "#index", "#query", "#results")


def test_the_page_is_sent_compressed(browser: Browser, served: RunningApp) -> None:
    with opened(browser, served.url) as page:
        sent = page.evaluate("performance.getEntriesByType('navigation')[0].encodedBodySize")
        assert 0 < sent < 60_000
