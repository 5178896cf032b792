"""Your data in a real browser: from an upload to a verdict, a search and a download, and what becomes of the files."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from retrieval import Searcher
from tests.browser_page import PHONE, assert_accessible, assert_nothing_is_cut_off, each_scheme, opened, search
from tests.conftest import random_texts
from tests.page_server import HOSTILE_TEXT, RunningApp, running_app
from tests.support import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.model]
SECRET = "the blue elephant sings at night"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the served app keeps its temporary files."""
    return Path(tempfile.mkdtemp(dir=tmp_path_factory.mktemp("scratch")))


@pytest.fixture(scope="module")
def served(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory, scratch: Path) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("own")
    environment = {"OWN_MAX_MB": "1", "OWN_MAX_ROWS": "300", "TMPDIR": str(scratch)}
    with running_app(folder, "--index", str(tiny_index), environment=environment) as running:
        yield running


def written(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps({"title": row, "number": n}) + "\n" for n, row in enumerate(rows)))
    return path


def bring(page: Page, path: Path) -> None:
    page.set_input_files("#own-file input[type=file]", str(path))


def built(page: Page) -> None:
    page.click("#own-build")
    expect(page.locator(".own-verdict")).to_be_visible()


def files_with(secret: str, folder: Path) -> list[Path]:
    found = []
    # os.walk passes over folders that go while it looks, and files may go, too.
    for path in (Path(parent, name) for parent, _, names in os.walk(folder) for name in names):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and secret.encode() in path.read_bytes():
                found.append(path)
    return found


def test_from_an_upload_to_a_verdict_a_search_and_a_download(
    browser: Browser, served: RunningApp, scratch: Path, tmp_path: Path
) -> None:
    path = written(tmp_path, "notes.jsonl", [SECRET, HOSTILE_TEXT, *random_texts(320)])
    with opened(browser, f"{served.url}?view=own") as page:
        bring(page, path)
        expect(page.locator(".own-preview")).to_contain_text("Only the first 300")
        expect(page.locator("#own-text input")).to_have_value("title")
        built(page)
        expect(page.locator(".own-verdict")).to_contain_text("first 300 of 322 rows")
        expect(page.locator(".own-verdict[data-seen] h2")).to_be_in_viewport(ratio=0.9)
        expect(page.locator(".tools [data-copy-link]")).to_be_hidden()  # nobody else can open the index
        with page.expect_event("dialog") as asked:
            page.evaluate("setTimeout(() => window.location.reload())")
        assert asked.value.type == "beforeunload"  # what was built would be gone
        asked.value.dismiss()
        expect(page.locator("h1")).to_contain_text("300 documents")
        assert files_with(SECRET, scratch) != []
        with page.expect_download() as download:
            page.click("#own-zip")
        download.value.save_as(tmp_path / "own.zip")
        page.click("#own-search")
        search(page, "an animal that makes music")
        expect(page.locator(".hit h3").first).to_have_text(SECRET)
        page.get_by_role("tab", name="Your data").click()
        page.click("#own-compare")
        expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
        expect(page.locator("[role=tabpanel]:visible")).to_contain_text(SECRET)
        assert "yours" not in page.url
        assert "notes" not in page.url
    wait_until(lambda: files_with(SECRET, scratch) == [])
    with zipfile.ZipFile(tmp_path / "own.zip") as archive:
        archive.extractall(tmp_path)
    hits = Searcher.open(tmp_path / "notes-index").search("an animal that makes music").hits
    assert hits[0].document.text == SECRET


def test_a_build_is_cancelled_and_the_choice_comes_back(browser: Browser, served: RunningApp) -> None:
    with opened(browser, f"{served.url}?view=own") as page:
        page.click("#own-sample")
        page.click("#own-build")
        expect(page.locator(".own-progress")).to_be_visible()
        page.click("#own-cancel")
        expect(page.locator("#own-message")).to_contain_text("Cancelled")
        expect(page.locator("#own-build")).to_be_visible()
        page.click("#own-again")
        expect(page.locator("#own-file")).to_be_visible()


def test_a_build_ends_with_the_visit(browser: Browser, served: RunningApp) -> None:
    with opened(browser, f"{served.url}?view=own") as page:
        page.click("#own-sample")
        page.click("#own-build")
        expect(page.locator(".own-progress")).to_contain_text("Opening the model")
        assert workers(served.process.pid) != []
        page.close()
    wait_until(lambda: not workers(served.process.pid))


def workers(pid: int) -> list[str]:
    """Returns the command lines of the children that work on visitors' data."""
    commands = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it may end meanwhile
            commands.append(" ".join(child.cmdline()))
    return [command for command in commands if "visitor.child" in command]


def test_bad_files_are_reported_and_the_page_continues(browser: Browser, served: RunningApp, tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_text("text\n" + "some words\n" * 120_000)
    (tmp_path / "junk.csv").write_bytes(b"\x01\0\x02" * 50)
    with opened(browser, f"{served.url}?view=own") as page:
        bring(page, tmp_path / "large.csv")
        expect(page.locator("#own-message")).to_contain_text("large.csv has 1.3 MB: at most 1.0 MB")
        bring(page, tmp_path / "junk.csv")
        expect(page.locator("#own-message")).to_contain_text("junk.csv is not what its name says")
        page.click("#own-use-lines")
        expect(page.locator("#own-message")).to_contain_text("no lines yet")
        page.fill("#own-lines textarea", f"{SECRET}\na bird on a wire\n")
        page.click("#own-use-lines")
        expect(page.locator(".own-preview")).to_contain_text(SECRET)


def test_two_visitors_have_an_index_each_and_delete_it(
    browser: Browser, served: RunningApp, scratch: Path, tmp_path: Path
) -> None:
    path = written(tmp_path, "same.jsonl", [SECRET, "a bird on a wire", *random_texts(20)])
    other_path = written(tmp_path, "other.jsonl", ["ships at sea", "a whale in the deep"])
    with opened(browser, f"{served.url}?view=own") as one, opened(browser, f"{served.url}?view=own") as other:
        bring(one, path)
        bring(other, other_path)
        one.click("#own-build")
        other.click("#own-build")
        for page, label in ((one, "Yours: same.jsonl, 22"), (other, "Yours: other.jsonl, 2")):
            expect(page.locator(".own-verdict")).to_be_visible()
            expect(page.locator("#index input")).to_have_value(label)
        other.click("#own-search")
        search(other, "elephant")
        expect(other.locator(".hit")).to_have_count(2)
        expect(other.locator(".hit", has_text=SECRET)).to_have_count(0)
        one.click("#own-delete")
        expect(one.locator("#own-message")).to_contain_text("Deleted")
        expect(one.locator("h1")).not_to_contain_text("22 documents")
        assert files_with(SECRET, scratch) == []


def test_on_a_phone_every_step_fits_and_can_be_used(browser: Browser, served: RunningApp) -> None:
    with opened(browser, f"{served.url}?view=own", viewport=PHONE) as page:
        for _ in each_scheme(page):
            assert_nothing_is_cut_off(page, "#own-file", "#own-lines", "#own-sample")
            assert_accessible(page)
        page.click("#own-sample")
        expect(page.locator("#own-build")).to_be_visible()
        for _ in each_scheme(page):
            assert_nothing_is_cut_off(page, ".own-preview", "#own-text", "#own-rows", "#own-build")
            assert_accessible(page)
        built(page)
        for _ in each_scheme(page):
            assert_nothing_is_cut_off(page, ".own-verdict", "#own-search", "#own-compare", "#own-zip", "#own-delete")
            assert_accessible(page)


def test_guessed_columns_are_named_and_none_switches_them_off(
    browser: Browser, served: RunningApp, tmp_path: Path
) -> None:
    path = tmp_path / "notes.csv.gz"
    rows = "".join(f"{text};more words on {n};{'AB'[n % 2]}\n" for n, text in enumerate(random_texts(60)))
    path.write_bytes(gzip.compress(f"title;description;group\n{rows}".encode("cp1252")))
    with opened(browser, f"{served.url}?view=own") as page:
        bring(page, path)
        notes = page.locator(".own-notes")
        expect(notes).to_contain_text("notes.csv.gz has its fields separated by semicolons")
        expect(notes).to_contain_text("Column 'group' is the group, because of its name")
        expect(page.locator("#own-group input")).to_have_value("group")
        for role in ("group", "body"):
            page.fill(f"#own-{role} input", "none")
            page.press(f"#own-{role} input", "Enter")
            expect(page.locator(f"#own-{role} input")).to_have_value("none")
        assert_nothing_is_cut_off(page, ".own-preview", "#own-group", "#own-quality", "#own-build")
        built(page)
        with page.expect_download() as download:
            page.click("#own-zip")
        download.value.save_as(tmp_path / "own.zip")
    with zipfile.ZipFile(tmp_path / "own.zip") as archive:
        [name] = [name for name in archive.namelist() if name.endswith("manifest.json")]
        assert json.loads(archive.read(name))["columns"] == {"text": "title"}


def measured(page: Page, button: str) -> None:
    page.click(button)
    expect(page.locator("#own-frontier .charts")).to_be_visible()


def test_vectors_are_measured_recommended_and_taken_along(browser: Browser, served: RunningApp, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(420, 32)).astype(np.float32)
    np.save(tmp_path / "mine.npy", vectors)
    with opened(browser, f"{served.url}?view=own") as page:
        bring(page, tmp_path / "mine.npy")
        expect(page.locator("#own-vectors")).to_contain_text("420 vectors of 32 dimensions")
        expect(page.locator("#own-vectors")).to_contain_text("Only the first 300")
        measured(page, "#own-measure-vectors")
        expect(page.locator("#own-frontier")).to_contain_text("were normalized")
        expect(page.locator("table.neighbours tbody tr")).to_have_count(6)
        before = page.locator("#own-advice .answer").inner_text()
        page.fill("#own-target input[type=number]", "0.999")
        page.keyboard.press("Tab")
        expect(page.locator("#own-advice .answer")).not_to_have_text(before)
        with page.expect_download() as download:
            page.click("#own-report")
        assert "<svg" in Path(download.value.path()).read_text()
        with page.expect_download() as download:
            page.click("#own-figures")
        assert json.loads(Path(download.value.path()).read_text())["num_given"] == 420


def test_the_frontier_of_texts_follows_the_verdict(browser: Browser, served: RunningApp, tmp_path: Path) -> None:
    path = written(tmp_path, "notes.jsonl", random_texts(120))
    with opened(browser, f"{served.url}?view=own", viewport=PHONE, color_scheme="dark") as page:
        bring(page, path)
        built(page)
        measured(page, "#own-measure")
        expect(page.locator(".own-verdict")).to_be_visible()
        assert_nothing_is_cut_off(page, "#own-frontier .charts", "#own-advice .answer", "#own-report")
        page.locator(".database summary").first.click()
        assert_accessible(page)


def test_a_measurement_is_cancelled_and_the_choice_comes_back(
    browser: Browser, served: RunningApp, tmp_path: Path
) -> None:
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).normal(size=(300, 512)).astype(np.float32))
    with opened(browser, f"{served.url}?view=own") as page:
        bring(page, tmp_path / "mine.npy")
        page.click("#own-measure-vectors")
        expect(page.locator(".own-progress")).to_be_visible()
        page.click("#own-cancel")
        expect(page.locator("#own-message")).to_contain_text("Cancelled")
        expect(page.locator("#own-measure-vectors")).to_be_visible()


def test_bad_vectors_are_reported_and_the_page_continues(browser: Browser, served: RunningApp, tmp_path: Path) -> None:
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}] * 20, dtype=object), allow_pickle=True)
    np.save(tmp_path / "holes.npy", np.full((50, 32), np.nan, np.float32))
    with opened(browser, f"{served.url}?view=own") as page:
        bring(page, tmp_path / "pickled.npy")
        expect(page.locator("#own-message")).to_contain_text("never loaded")
        bring(page, tmp_path / "holes.npy")
        page.click("#own-measure-vectors")
        expect(page.locator("#own-message")).to_contain_text("not finite")
        expect(page.locator("#own-measure-vectors")).to_be_visible()
