"""The texts of the view, from `assets/docs/under-the-hood.md`: to change a text, change it there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.ui.markup import escaped
from retrieval.ui.search.highlighting import highlighted

LESSON = Path(__file__).resolve().parents[3] / "assets" / "docs" / "under-the-hood.md"
_SOURCE = "Source"
_NAME = re.compile(r"\{\{(\w+)\}\}")
_UNKNOWN = "…"
"""Stands for an unknown number, such as a distance when there is no model to encode a query."""
_SHIFTED = re.compile(r"([_^])(\w)")
_VARIABLE = re.compile(r"(?<![\w&])([A-Za-z])(?![A-Za-z;])")
_TAGS = {"_": "sub", "^": "sup"}


@dataclass(frozen=True, slots=True)
class Aside:
    """A part that opens on a click."""

    title: str
    html: str


@dataclass(frozen=True, slots=True)
class Section:
    """One step: everything but its picture. `{{names}}` are still to be filled in."""

    key: str
    short_name: str
    title: str
    prose: str
    """HTML."""
    formula: str
    """In the notation of `formula`."""
    code: str
    """Python."""
    source: str
    """HTML."""
    asides: tuple[Aside, ...]

    def filled(self, values: Mapping[str, str]) -> Section:
        """Returns the section with its names filled in. Code takes the values as they are, HTML takes them escaped."""
        safe = {name: escaped(value) for name, value in values.items()}
        return Section(
            key=self.key,
            short_name=self.short_name,
            title=escaped(_filled(self.title, values)),
            prose=_filled(self.prose, safe),
            formula=formula(_filled(self.formula, values)),
            code=_filled(self.code, values),
            source=_filled(self.source, safe),
            asides=tuple(Aside(aside.title, _filled(aside.html, safe)) for aside in self.asides),
        )


@lru_cache(maxsize=1)
def lesson() -> tuple[Section, ...]:
    """Returns the steps, in order."""
    return read_lesson(LESSON.read_text(encoding="utf-8"))


def read_lesson(text: str) -> tuple[Section, ...]:
    """Returns the steps of a text in Markdown; HTML in it is shown as text."""
    text = re.sub(r"\A<!--.*?-->", "", text, flags=re.DOTALL)
    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.add_render_rule("link_open", _link_in_new_tab)
    parts = _split(markdown.parse(text), "h2")
    return tuple(_section(markdown, title, tokens) for title, tokens in parts if title)


def code_html(code: str, title: str, what: str, above: str = "") -> str:
    """Returns Python in a box with a copy button, which opens on a click on the title.

    Args:
        code: Python.
        title: what is clicked on.
        what: names the code for screen readers.
        above: HTML that is placed above it.
    """
    return (
        f'<details class="numpy"><summary>{escaped(title)}</summary>{above}<div class="code"><button type="button" '
        f'class="copy" data-copy aria-label="Copy the code of {escaped(what)}">Copy</button>'
        f'<pre tabindex="0"><code>{highlighted(code, "python")}</code></pre></div></details>'
    )


def formula(text: str) -> str:
    """Returns formulas, one per line, as HTML."""
    return "".join(f'<p class="formula">{_line(line)}</p>' for line in text.strip().splitlines())


def _section(markdown: MarkdownIt, heading: str, tokens: Sequence[Token]) -> Section:
    key, short_name, title = (part.strip() for part in heading.split(":", 2))
    (_, body), *parts = _split(tokens, "h3")
    fences = {token.info.strip(): token.content for token in body if token.type == "fence"}
    asides = [Aside(str(markdown.renderInline(name)), _html(markdown, part)) for name, part in parts if name != _SOURCE]
    return Section(
        key=key,
        short_name=short_name,
        title=title,
        prose=_html(markdown, [token for token in body if token.type != "fence"]),
        formula=fences.get("formula", ""),
        code=fences.get("python", ""),
        source="".join(_html(markdown, part) for name, part in parts if name == _SOURCE),
        asides=tuple(asides),
    )


def _split(tokens: Sequence[Token], tag: str) -> list[tuple[str, list[Token]]]:
    """Returns what follows each heading of a level, with the heading's text; first, what precedes all of them."""
    parts: list[tuple[str, list[Token]]] = [("", [])]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type == "heading_open" and token.tag == tag:
            parts.append((tokens[position + 1].content, []))
            position += 3
            continue
        parts[-1][1].append(token)
        position += 1
    return parts


def _html(markdown: MarkdownIt, tokens: Sequence[Token]) -> str:
    return str(markdown.renderer.render(list(tokens), markdown.options, {}))


def _link_in_new_tab(renderer: MarkdownIt, tokens: Sequence[Token], position: int, *rest: object) -> str:
    address = escaped(tokens[position].attrGet("href") or "")
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer">'


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _NAME.sub(lambda found: values.get(found[1], _UNKNOWN), text)


def _line(line: str) -> str:
    # Variables first: the tags that follow contain letters, too.
    parts = _SHIFTED.split(line)
    html = _with_variables(parts[0])
    for kind, shifted, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        html += f"<{_TAGS[kind]}>{_with_variables(shifted)}</{_TAGS[kind]}>{_with_variables(rest)}"
    return html


def _with_variables(text: str) -> str:
    return _VARIABLE.sub(r"<var>\1</var>", escaped(text))
