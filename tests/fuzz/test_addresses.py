"""What anybody can write: addresses, links, names of hosts, wishes, texts on their way to HTML."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from retrieval import SCANS, HubError, QueryError, SearchSettings
from retrieval.evaluation.frontier.recommend import Wish
from retrieval.hub.address import HubAddress
from retrieval.ui.address import address_of, read_address
from retrieval.ui.frontier.values import wish_of
from retrieval.ui.markup import error_words, escaped, link, one_line, safe_url, shortened
from retrieval.ui.request_limits import MAX_CANDIDATES, MAX_MULTIPLIER, MAX_PROBES, MAX_QUERY_CHARS, MAX_TOP_K
from retrieval.ui.server.headers import names_of
from tests.fuzz.cases import any_values, assert_sentence, cases, counted, texts

PARTS = ("q", "index", "view", "k", "n", "m", "p", "asymmetric", "rescore", "scan", "other")


@cases(40)
@given(st.dictionaries(st.sampled_from(PARTS), texts | st.integers().map(str) | st.sampled_from(SCANS)))
@counted
def test_settings_of_any_link_are_within_the_limits(parts: dict[str, str]) -> None:
    address = read_address(parts)
    settings = address.settings_over(SearchSettings())
    assert len(address.query) <= MAX_QUERY_CHARS
    assert 1 <= settings.top_k <= MAX_TOP_K
    assert 1 <= settings.num_candidates <= MAX_CANDIDATES
    assert 1 <= settings.rescore_multiplier <= MAX_MULTIPLIER
    assert settings.scan in SCANS


@cases(40)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.builds(
        SearchSettings, top_k=st.integers(1, MAX_TOP_K), num_candidates=st.integers(1, MAX_CANDIDATES),
        rescore_multiplier=st.integers(1, MAX_MULTIPLIER), asymmetric=st.booleans(), rescore=st.booleans(),
        scan=st.sampled_from(SCANS), probes=st.none() | st.integers(1, MAX_PROBES),
    ),
    st.sampled_from(["search", "compare", "hood"]),
)  # fmt: skip
@counted
def test_a_link_brings_back_what_it_was_made_of(query: str, settings: SearchSettings, view: str) -> None:
    text = address_of(query, "notes", view, settings, SearchSettings(), "search")
    again = read_address(dict(parse_qsl(text.removeprefix("?"))))
    assert again.query == (query if query.strip() else "")
    assert again.settings_over(SearchSettings()) == settings
    assert (again.index, again.view or "search") == ("notes", view)


@cases(40)
@given(texts | st.from_regex(r"(hf://datasets/)?[\w.-]{1,5}/[\w.-]{1,5}(@\w{1,5})?/?", fullmatch=True))
@counted
def test_an_address_on_the_hub_is_refused_or_leads_nowhere_else(text: str) -> None:
    try:
        address = HubAddress.parse(text)
    except HubError:
        return
    assert HubAddress.parse(str(address)) == address
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", address.repo_id, re.ASCII)
    assert ".." not in address.repo_id.split("/")


@cases(40)
@given(any_values, any_values | st.sampled_from(["ram", "cpu", "disk reads"]), any_values, any_values)
@counted
def test_a_wish_is_one_that_can_be_answered_or_refused(target: Any, scarce: Any, count: Any, price: Any) -> None:
    try:
        wish = wish_of(target, scarce, count, price)
    except QueryError as error:
        assert_sentence(error)
    else:
        assert isinstance(wish, Wish)
        assert 0 < wish.target < 1


@cases(40)
@given(texts | st.sampled_from(["<b>", "&lt;", "\"'", "</code></pre>", "`", "\0\x1b"]))
@counted
def test_text_in_html_is_text(text: str) -> None:
    made = escaped(text)
    assert not re.search(r"[<>\"']|&(?!\w+;|#)", made)
    readable = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text)
    assert html.unescape(made) == readable.encode("utf-8", "replace").decode()
    assert len(one_line(text, 10)) <= 10
    assert shortened(text, 10).startswith(text[:10])
    assert isinstance(error_words(ValueError(text)), str)


@cases(40)
@given(texts | st.from_regex(r"(https?|javascript|data|//|\\\\):?/{0,3}[^\n]{0,20}") | texts.map("https://{}".format))
@counted
def test_only_addresses_of_the_web_become_links(text: str) -> None:
    found = safe_url(text)
    if found is not None:
        assert re.match(r"https?://[^\s\"'<>]+", found, re.IGNORECASE)
    made = link(text, text)
    assert made.count("<") == (2 if found else 0)


@cases(30)
@given(texts | st.from_regex(r"[\w.:\[\]-]{0,20}", fullmatch=True))
@counted
def test_a_server_on_this_machine_answers_to_its_own_names_only(name: str) -> None:
    is_ours = names_of("127.0.0.1", frozenset(), lambda: None)
    known = name == "localhost" or name.startswith("127.") or ":" in name
    assert is_ours(name) <= known
