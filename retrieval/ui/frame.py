"""What surrounds the search: the page's header, banners and footer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr

from retrieval.bundle.manifest import Manifest
from retrieval.errors import counted
from retrieval.quantization import num_code_bytes
from retrieval.search.searcher import Searcher
from retrieval.ui.markup import data_size, escaped, link
from retrieval.ui.views import Update

_SOURCES = (
    ("https://huggingface.co/blog/embedding-quantization", "Binary and scalar embedding quantization"),
    ("https://arxiv.org/abs/2106.00882", "Binary passage retriever, 2106.00882"),
    ("https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2", "all-MiniLM-L6-v2"),
)

_KEYS = (
    '<p class="keys"><kbd>/</kbd> question <kbd>\N{DOWNWARDS ARROW}</kbd><kbd>\N{UPWARDS ARROW}</kbd> results '
    "<kbd>c</kbd> copy code <kbd>Esc</kbd> clears the question</p>"
)

IndexNotes = Mapping[Path, Sequence[str]]
"""Notes by the folder of the index that they are about."""
NO_NOTES: IndexNotes = MappingProxyType({})


def masthead(manifest: Manifest) -> str:
    """Returns the page's header: what this is in one sentence, and what is loaded.

    From the first query on, the stylesheet leaves one line of it.
    """
    codes = manifest.distinct_text_count * num_code_bytes(manifest.dim)
    float32 = manifest.distinct_text_count * manifest.dim * 4
    facts = [
        ("Documents", f"{manifest.row_count:,}"),
        ("Distinct texts", f"{manifest.distinct_text_count:,}"),
        ("Model", manifest.model_id.rsplit("/", 1)[-1]),
        ("Dimensions", f"{manifest.dim:,}"),
        ("Built", manifest.built_at[:10]),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
    return (
        f'<header class="masthead"><div class="claim"><p class="eyebrow">{_bits()}'
        "<span>Embedding quantization</span></p>"
        f"<h1>{counted(manifest.row_count, 'document')}, searched by meaning, "
        f'<span class="hl">in {data_size(codes)} of memory</span></h1>'
        f'<p class="lead">Each text is stored as {manifest.dim:,} bits, and your question is compared with all of '
        f"them. The nearest ones are scored again with int8 vectors that stay on disk. As float32, the vectors "
        f"would take {data_size(float32)}. Every time shown is measured on the machine "
        f"that serves this page.</p></div>"
        f'<div class="loaded"><p class="corpus">{escaped(manifest.corpus.title)}</p>'
        f'<dl class="index-facts">{items}</dl></div></header>'
    )


def _bits() -> str:
    """Returns the page's logo: a few bits."""
    pattern = ("1011", "0110", "1101")
    cells = "".join(
        f'<rect x="{8 * x}" y="{8 * y}" width="6" height="6" rx="1.5" class="b{bit}"/>'
        for y, row in enumerate(pattern)
        for x, bit in enumerate(row)
    )
    return f'<svg class="mark" viewBox="0 0 30 22" width="30" height="22" aria-hidden="true">{cells}</svg>'


def banner(notes: Sequence[str]) -> str:
    """Returns the notes that stay on top of the page; empty when there are none."""
    return "".join(f'<p class="banner" role="note">{_with_code(note)}</p>' for note in notes)


def _with_code(note: str) -> str:
    """Returns a note whose parts between backticks are set as code."""
    parts = [escaped(part) for part in note.split("`")]
    return "".join(f"<code>{part}</code>" if position % 2 else part for position, part in enumerate(parts))


def colophon(manifest: Manifest) -> str:
    """Returns the page's footer: where the texts and the method come from."""
    corpus = manifest.corpus
    credit = f"<p>Texts: {link(corpus.attribution_url, corpus.attribution)}</p>" if corpus.attribution else ""
    sources = "".join(f"<li>{link(url, label)}</li>" for url, label in _SOURCES)
    return f'<footer class="colophon">{_KEYS}{credit}<ul>{sources}</ul></footer>'


class Frame:
    """The header, the notes under it and the footer, which describe the selected index."""

    def __init__(
        self,
        searcher: Searcher,
        notes: Sequence[str] = (),
        index_notes: IndexNotes = NO_NOTES,
    ) -> None:
        """Takes the notes that always hold, and by folder those that hold for one index."""
        self._notes = notes
        self._index_notes: dict[object, Sequence[str]] = {path.resolve(): each for path, each in index_notes.items()}
        self.head = gr.HTML(masthead(searcher.manifest), elem_id="masthead", apply_default_css=False, render=False)
        self.notes = self._banner(searcher, elem_id="banner", apply_default_css=False, render=False)
        self.foot = gr.HTML(colophon(searcher.manifest), elem_id="colophon", apply_default_css=False, render=False)
        self.outputs = [self.head, self.notes, self.foot]

    def on_index(self, searcher: Searcher) -> Update:
        """Returns the header, the notes and the footer for another index."""
        return {
            self.head: masthead(searcher.manifest),
            self.notes: self._banner(searcher),
            self.foot: colophon(searcher.manifest),
        }

    def _banner(self, searcher: Searcher, **options: Any) -> gr.HTML:
        own = self._index_notes.get(searcher.store.place, ())
        notes = (*self._notes, *own, *searcher.notes)
        return gr.HTML(banner(notes), visible=bool(notes), **options)
