"""The panels and what stands around the search: real figures under honest names."""

from __future__ import annotations

import dataclasses

from retrieval import STAGES, Latency, MemoryItem, MemoryReport, SearchResponse, SearchSettings
from retrieval.ui.frame import banner, colophon, masthead
from retrieval.ui.search.latency_panel import empty_latency_panel, latency_panel
from retrieval.ui.search.memory_panel import memory_panel
from retrieval.ui.visit import Visit
from tests.conftest import Build
from tests.support import Reader

LATENCY = Latency(dict(zip(STAGES, (2.5, 0.01, 1.35, 0.0, 0.0, 0.3, 0.0, 0.1, 0.0), strict=True)), 4.3)
RESPONSE = SearchResponse("q", (), LATENCY, SearchSettings(), 593_891, 1000, 0)
MEMORY = MemoryReport(
    (
        MemoryItem("codes", "sign bits", 28_506_768, "ram"),
        MemoryItem("int8_file", "size of the mapped file", 254_000_000, "file"),
        MemoryItem("int8_resident", "its pages", 0, "resident"),
        MemoryItem("rss", "all pages", 400_000_000, "process"),
        MemoryItem("new_in_a_later_release", "unknown here", 1, "ram"),
    ),
    num_vectors=593_891,
    dim=384,
)


def test_every_stage_is_named_and_one_that_did_not_run_is_off() -> None:
    text = Reader(latency_panel(RESPONSE, Visit().after(4.3))).text
    for label in ("Encode", "Binarize", "Hamming", "Asymmetric", "Rescore", "Documents", "Whole call"):
        assert label in text
    assert "1.35 ms" in text
    assert "off" in text
    assert "593,891 compared" in text


def test_the_bar_has_a_segment_for_each_stage_that_ran() -> None:
    assert latency_panel(RESPONSE, Visit()).count("flex-grow") == 5


def test_the_session_has_its_percentiles() -> None:
    visit = Visit()
    for total_ms in range(1, 101):
        visit = visit.after(float(total_ms))
    text = Reader(latency_panel(RESPONSE, visit)).text
    assert "50.5 ms" in text
    assert "95.0 ms" in text
    assert "100 queries" in text


def test_fewer_than_five_queries_have_no_percentiles() -> None:
    visit = Visit()
    for num_queries in range(1, 6):
        visit = visit.after(4.0)
        assert ("p95" in Reader(latency_panel(RESPONSE, visit)).text) == (num_queries == 5)


def test_a_visit_keeps_the_last_thousand_times_and_counts_all() -> None:
    visit = Visit()
    for total_ms in range(1200):
        visit = visit.after(float(total_ms))
    assert visit.num_queries == 1200
    assert visit.totals_ms == tuple(float(n) for n in range(200, 1200))
    assert Visit().percentile_ms(95) == 0.0


def test_the_empty_panel_has_no_figures() -> None:
    text = Reader(empty_latency_panel()).text.replace("float32", "").replace("int8", "")
    assert not any(character.isdigit() for character in text)


def test_arithmetic_is_called_arithmetic_and_measurements_are_apart() -> None:
    text = Reader(memory_panel(MEMORY)).text
    arithmetic, measured = text.split("This process, measured now")
    assert "calculated" in arithmetic
    assert [size in arithmetic for size in ("912 MB", "228 MB", "28.5 MB")] == [True] * 3
    assert "1/32" in arithmetic
    assert [size in measured for size in ("28.5 MB", "254 MB", "400 MB", "0 B")] == [True] * 4


def test_savings_of_duplicates_and_of_quantization_are_separate() -> None:
    repeated = dataclasses.replace(MEMORY, num_vectors=150, num_rows=6_000)
    text = Reader(memory_panel(repeated)).text
    assert "150 \N{MULTIPLICATION SIGN} 384" in text
    assert "230 kB" in text  # float32 of the distinct texts
    assert "6,000 rows hold 150 distinct texts" in text
    assert "40.0x" in text
    assert "distinct texts" not in Reader(memory_panel(MEMORY)).text


def test_an_index_of_nothing_divides_by_nothing() -> None:
    memory_panel(dataclasses.replace(MEMORY, num_vectors=0))


def test_the_head_of_the_page_states_the_index(build: Build) -> None:
    manifest = build(["red apple", "red apple", "blue plum"]).manifest
    text = Reader(masthead(manifest)).text
    for part in (
        "3 documents",
        "16 B of memory",
        "would take 512 B",
        "Rows of a test",
        "64",
        "fake",
        manifest.built_at[:10],
    ):
        assert part in text


def test_untrusted_text_in_the_manifest_stays_text(build: Build) -> None:
    manifest = build(["red"]).manifest
    corpus = dataclasses.replace(
        manifest.corpus, title="<script>", attribution="<img>", attribution_url="javascript:alert(1)"
    )
    manifest = dataclasses.replace(manifest, corpus=corpus, model_id="a/<b>")
    seen = Reader(masthead(manifest) + colophon(manifest))
    assert not {"script", "img", "b"} & set(seen.tags)
    assert "<script>" in seen.text
    assert "javascript" not in colophon(manifest)


def test_the_corpus_is_credited(build: Build) -> None:
    manifest = build(["red"]).manifest
    corpus = dataclasses.replace(
        manifest.corpus, attribution="Stack Overflow, CC BY-SA", attribution_url="https://host/x"
    )
    html = colophon(dataclasses.replace(manifest, corpus=corpus))
    assert "Stack Overflow, CC BY-SA" in html
    assert 'href="https://host/x"' in html


def test_a_banner_sets_commands_as_code() -> None:
    assert "<code>make conala</code>" in banner(["Run `make conala`."])
    assert Reader(banner(["<b> `<i>`"])).tags == ["p", "code"]
    assert banner([]) == ""


def test_the_network_is_a_stage_only_where_there_is_one() -> None:
    assert "Network" not in latency_panel(RESPONSE, Visit())
    remote = dataclasses.replace(RESPONSE, latency=Latency({**LATENCY.stages, "network": 1.5}, 5.8))
    shown = latency_panel(remote, Visit())
    assert "Network" in shown
    assert "1.50 ms" in shown
