"""Hits as cards: rank, title, code, the way from the Hamming stage to here, and the other members of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.results import Document, Hit, SearchResponse
from retrieval.ui.markup import counted, escaped, host_of, link, milliseconds, shortened
from retrieval.ui.search.highlighting import MAX_CHARS, highlighted

SHOWN_MEMBERS = 5
"""Other rows of a group that a card shows; the rest are counted."""
_TITLE_CHARS = 240
"""A text longer than this is a passage: it is shown as one, not as a title."""
_MEMBER_WORDS = {"conala": ("other snippet for this question", "other snippets for this question")}
_COPY = '<button type="button" class="copy" data-copy aria-label="Copy the code of {what}">Copy</button>'


@dataclass(frozen=True, slots=True)
class CardStyle:
    """What all cards of one index have in common."""

    dim: int
    body_language: str | None
    corpus_name: str


def result_list(response: SearchResponse, members: Mapping[int, Document], style: CardStyle) -> str:
    """Returns the answer to a query: a summary line, the notes, and a card a hit.

    Args:
        response: the answer of the searcher.
        members: the documents of the first `SHOWN_MEMBERS` member rows of every hit, by row.
        style: what the cards have in common.
    """
    if not response.hits:
        return message(
            "Nothing was found", "The index gave no document for this query. Try other words, or one of the examples."
        )
    summary = (
        f'<p class="summary" role="status"><strong>{counted(len(response.hits), "result")}</strong> out of '
        f"{counted(response.num_documents, 'document')} in <strong>{milliseconds(response.latency.total_ms)} ms"
        f"</strong></p>"
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in response.notes)
    cards = "".join(_card(hit, members, style) for hit in response.hits)
    return f'<section><h2 class="unseen">Results</h2>{summary}{notes}<ol class="hits">{cards}</ol></section>'


def message(title: str, text: str, *, is_error: bool = False) -> str:
    """Returns a box that says what happened and what to do."""
    role, kind = ("alert", "error") if is_error else ("status", "info")
    return f'<div class="message {kind}" role="{role}"><strong>{escaped(title)}</strong><p>{escaped(text)}</p></div>'


def invitation(num_documents: int, has_examples: bool) -> str:
    """Returns what stands in the place of the results before the first query."""
    hint = "Write it as you would ask a colleague" + (", or start from an example above." if has_examples else ".")
    return (
        '<div class="invitation"><p class="lead">Ask for what it does, not for what it is called.</p>'
        f"<p>{hint} Each query is compared with all {counted(num_documents, 'document')}; "
        "every stage is timed, and each result tells where the bits alone had placed it.</p></div>"
    )


def _card(hit: Hit, members: Mapping[int, Document], style: CardStyle) -> str:
    what = f"result {hit.rank}"
    return (
        f'<li class="hit" data-row="{hit.row}" tabindex="-1"><article aria-label="Result {hit.rank}">'
        f'<header><span class="rank" aria-hidden="true">{hit.rank}</span>{_title(hit.document)}{_score(hit)}</header>'
        f"{_body(hit.document, what, style.body_language)}"
        f'<footer class="facts">{_move(hit)}{_distance(hit, style.dim)}{_quality(hit.document)}</footer>'
        f"{_members(hit, members, style)}"
        "</article></li>"
    )


def _title(document: Document) -> str:
    host = host_of(document.url)
    source = f'<span class="host">{escaped(host)}</span>' if host else ""
    if len(document.text) <= _TITLE_CHARS:
        return f'<div class="title"><h3 dir="auto">{link(document.url, document.text)}</h3>{source}</div>'
    open_link = f'<h3 dir="auto">{link(document.url, document.text[:80] + "…")}</h3>' if host else ""
    text = escaped(shortened(document.text, MAX_CHARS))
    return f'<div class="title">{open_link}<div class="passage" dir="auto" tabindex="0">{text}</div>{source}</div>'


def _score(hit: Hit) -> str:
    kind = "estimate" if hit.is_estimate else "cosine"
    about = "Estimated from the bits" if hit.is_estimate else "Cosine similarity, from de-quantized int8"
    return f'<span class="score {kind}" title="{about}">{hit.score:.3f}<small>{kind}</small></span>'


def _body(document: Document, what: str, language: str | None) -> str:
    if not document.body or document.body.strip() == document.text.strip():
        return ""
    if language is None:
        text = escaped(shortened(document.body.strip(), MAX_CHARS))
        return f'<div class="passage" dir="auto" tabindex="0">{text}</div>'
    code = highlighted(document.body, language)
    return f'<div class="code">{_COPY.format(what=what)}<pre tabindex="0"><code>{code}</code></pre></div>'


def _move(hit: Hit) -> str:
    before, now = hit.binary_rank, hit.rank
    arrow, kind = ("↑", "up") if now < before else ("↓", "down") if now > before else ("=", "same")
    words = f"By Hamming distance alone this was number {before:,}; it is number {now:,} now"
    return (
        f'<span class="badge {kind}" title="{words}"><span aria-hidden="true">{arrow} </span>'
        f'<span class="was">bits alone: #{before:,}</span> → #{now:,}</span>'
    )


def _distance(hit: Hit, dim: int) -> str:
    return f"<span>{hit.hamming_distance:,} of {dim:,} bits differ</span>"


def _quality(document: Document) -> str:
    if document.quality is None:
        return ""
    return f'<span title="What the source says of its own row">quality {document.quality:.2f}</span>'


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
    """Returns the rows that `result_list` needs besides the hits themselves."""
    return [row for hit in hits for row in hit.member_rows[:SHOWN_MEMBERS]]
