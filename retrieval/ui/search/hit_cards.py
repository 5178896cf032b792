"""Hits as rows of one list: rank, title, where the text is from, its ranks, its code, and the rest of its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.errors import counted
from retrieval.results import Document, Hit, SearchResponse
from retrieval.ui.markup import escaped, host_of, link, message, milliseconds, safe_url, shortened
from retrieval.ui.search.highlighting import MAX_CHARS, highlighted

SHOWN_MEMBERS = 5
"""How many other rows of a group a card shows; the rest are counted."""
_TITLE_CHARS = 240
"""A text longer than this is shown as a passage, not as a title."""
_NAME_COLUMNS = ("qualified_name", "package", "function", "name", "file", "path", "title", "id", "_id", "question_id")
"""Columns in which sources keep the names of their rows, the best first."""
_NAME_CHARS = 60
_FOLDED_LINES = 1
_FOLDED_CHARS = 200
_FOLD = '<button type="button" class="fold" data-fold aria-expanded="false">Show all{lines}</button>'
_MEMBER_WORDS = {"conala": ("other snippet for this question", "other snippets for this question")}
_COPY = '<button type="button" class="copy" data-copy aria-label="Copy the code of {what}">Copy</button>'


@dataclass(frozen=True, slots=True)
class CardStyle:
    """What all cards of one index have in common."""

    dim: int
    body_language: str | None
    corpus_name: str


def result_list(response: SearchResponse, members: Mapping[int, Document], style: CardStyle) -> str:
    """Returns the answer to a query: a summary line, the notes, and a card per hit.

    Args:
        response: the answer of the searcher.
        members: the documents of the first `SHOWN_MEMBERS` member rows of every hit, by row.
        style: what the cards have in common.
    """
    if not response.hits:
        return message(
            "Nothing was found", "The index has no document for this query. Try other words, or one of the examples."
        )
    told = told_once(response.hits)
    repeats = len(response.hits) - len(told)
    rows = f" ({len(response.hits):,} rows)" if repeats else ""
    summary = (
        f'<p class="summary"><strong>{counted(len(told), "result")}</strong>{rows} of '
        f"{counted(response.num_documents, 'document')} in <strong>{milliseconds(response.latency.total_ms)} ms"
        f"</strong></p>"
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in response.notes)
    cards = "".join(_card(each, members, style) for each in told)
    return f'<section><h2 class="unseen">Results</h2>{summary}{notes}<ol class="hits">{cards}</ol></section>'


@dataclass(frozen=True, slots=True)
class Told:
    """A hit, and how many rows among the hits have the same content."""

    hit: Hit
    times: int = 1


def told_once(hits: Sequence[Hit]) -> list[Told]:
    """Returns the hits without those that repeat the text and body of an earlier one, with new ranks."""
    first: dict[tuple[str, str | None], Told] = {}
    for hit in hits:
        key = (hit.document.text, hit.document.body)
        if key in first:
            first[key] = replace(first[key], times=first[key].times + 1)
        else:
            first[key] = Told(replace(hit, rank=len(first) + 1))
    return list(first.values())


def invitation(num_documents: int, has_examples: bool) -> str:
    """Returns what is shown instead of results before the first query."""
    hint = "Write it as you would ask a colleague" + (", or start from an example above." if has_examples else ".")
    return (
        '<div class="invitation"><p class="lead">Ask for what it does, not what it is called.</p>'
        f"<p>{hint} Each query is compared with all {counted(num_documents, 'document')}; "
        "every stage is timed, and each result shows where the bits alone ranked it.</p></div>"
    )


def _card(told: Told, members: Mapping[int, Document], style: CardStyle) -> str:
    hit = told.hit
    what = f"result {hit.rank}"
    times = f'<span class="badge">{told.times:,} times</span>' if told.times > 1 else ""
    distance = f'<span class="differ">{hit.hamming_distance:,} of {style.dim:,} bits differ</span>'
    facts = f"{_source(hit.document)}{times}{_move(hit)}{distance}{_quality(hit.document)}"
    # The title of a hit with code takes one line, so that as many hits are in sight.
    coded = " coded" if style.body_language is not None and hit.document.body else ""
    return (
        f'<li class="hit{coded}" data-row="{hit.row}" tabindex="-1">'
        f'<article aria-label="Result {hit.rank}">'
        f'<header><span class="rank" aria-hidden="true">{hit.rank}</span>'
        f'<div class="title">{_title(hit.document)}<p class="facts">{facts}</p></div>{_score(hit)}</header>'
        f"{_body(hit.document, what, style.body_language)}{_members(hit, members, style)}"
        "</article></li>"
    )


def _title(document: Document) -> str:
    if len(document.text) <= _TITLE_CHARS:
        return f'<h3 dir="auto" title="{escaped(document.text)}">{link(document.url, document.text)}</h3>'
    open_link = ""
    if safe_url(document.url) is not None:
        open_link = f'<h3 dir="auto">{link(document.url, document.text[:80] + "…")}</h3>'
    return open_link + _passage(document.text)


def _source(document: Document) -> str:
    """Returns what the source calls the document, and the host it is on; empty if neither is known."""
    name, host = source_name(document), host_of(document.url)
    named = f'<span class="name">{escaped(name)}</span>' if name else ""
    return named + (f'<span class="host">{escaped(host)}</span>' if host else "")


def source_name(document: Document) -> str:
    """Returns the name that a document has in its source, such as a package or a file; empty if it has none."""
    for key in _NAME_COLUMNS:
        value = document.extra.get(key)
        name = " ".join(str(value).split()) if isinstance(value, str | int) else ""
        if name and len(name) <= _NAME_CHARS and not document.text.startswith(name):
            return name
    return ""


def _score(hit: Hit) -> str:
    kind = "estimate" if hit.is_estimate else "cosine"
    about = "Estimated from the bits" if hit.is_estimate else "Cosine similarity, from de-quantized int8"
    return f'<span class="score {kind}" title="{about}">{hit.score:.3f}<small>{kind}</small></span>'


def _body(document: Document, what: str, language: str | None) -> str:
    if not document.body or document.body.strip() == document.text.strip():
        return ""
    if language is None:
        return _passage(document.body.strip())
    code = highlighted(document.body, language)
    num_lines = code.count("\n") + 1
    fold = _FOLD.format(lines=f" {num_lines:,} lines") if num_lines > _FOLDED_LINES else ""
    kind = "code folded" if fold else "code"
    return f'<div class="{kind}">{_COPY.format(what=what)}<pre tabindex="0"><code>{code}</code></pre>{fold}</div>'


def _passage(text: str) -> str:
    shown = escaped(shortened(text, MAX_CHARS))
    if len(text) <= _FOLDED_CHARS and text.count("\n") < 2:
        return f'<div class="passage" dir="auto">{shown}</div>'
    return f'<div class="passage folded"><div class="text" dir="auto">{shown}</div>{_FOLD.format(lines="")}</div>'


def _move(hit: Hit) -> str:
    before, now = hit.binary_rank, hit.rank
    kind = "up" if now < before else "down" if now > before else "same"
    words = f"By Hamming distance alone, this text was number {before:,}. Now it is number {now:,}."
    return f'<span class="badge {kind}" title="{words}">bits #{before:,}, rescored #{now:,}</span>'


def _quality(document: Document) -> str:
    if document.quality is None:
        return ""
    return f'<span class="quality" title="How the source rates this row">quality {document.quality:.2f}</span>'


def _members(hit: Hit, members: Mapping[int, Document], style: CardStyle) -> str:
    if not hit.member_rows:
        return ""
    words = _MEMBER_WORDS.get(style.corpus_name, ("more of the same group", "more of the same group"))
    shown = [members[row] for row in hit.member_rows[:SHOWN_MEMBERS] if row in members]
    items = "".join(_member(document, hit, number, style) for number, document in enumerate(shown, start=1))
    rest = len(hit.member_rows) - len(shown)
    more = f'<p class="rest">and {rest:,} more</p>' if rest else ""
    return f"<details><summary>{counted(len(hit.member_rows), *words)}</summary>{items}{more}</details>"


def _member(document: Document, hit: Hit, number: int, style: CardStyle) -> str:
    title = "" if document.text == hit.document.text else f'<p dir="auto">{escaped(document.text[:_TITLE_CHARS])}</p>'
    what = f"result {hit.rank}, number {number} of its group"
    body = _body(document, what, style.body_language)
    return f'<div class="member">{title or ("" if body else "<p>The same text again</p>")}{body}</div>'


def member_rows(hits: Sequence[Hit]) -> list[int]:
    """Returns the rows that `result_list` needs in addition to the hits."""
    return [row for hit in hits for row in hit.member_rows[:SHOWN_MEMBERS]]
