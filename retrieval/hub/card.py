"""The card of a published index: the README.md of its repository, made from the manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict

from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE, MANIFEST_FILE, Manifest
from retrieval.corpus.base import CorpusInfo
from retrieval.errors import counted

_LICENSES = {
    "cc-by-sa-4.0": "CC BY-SA 4.0",
    "cc-by-sa-3.0": "CC BY-SA 3.0",
    "cc-by-4.0": "CC BY 4.0",
    "cc0-1.0": "CC0",
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
}
"""The hub's name of a licence, by its name in a credit."""
_WHAT = {
    BINARY_FILE: "sign bits, 1 per dimension, searched in RAM",
    INT8_FILE: "int8 codes, read from disk for the few candidates",
    EMBEDDINGS_FILE: "float32 embeddings, the baseline",
    DOCUMENTS_FILE: "the documents, Arrow",
}


_RUNGS = {
    "bits": "sign bits alone",
    "float_bits": "float query x sign bits",
    "int8_all": "all int8 vectors",
    "chosen": "the settings above",
    "published": "40 by sign bits, ordered by raw int8 codes",
}
"""Readable names for the searches that the manifest has measured."""


def card_of(manifest: Manifest, repo_id: str) -> str:
    """Returns the card of an index, with the hub's metadata at the top."""
    parts = [_metadata(manifest), _about(manifest), _sizes(manifest), _quality(manifest), _usage(repo_id, manifest)]
    parts += [_files(manifest), _credit(manifest.corpus)]
    return "\n\n".join(part for part in parts if part) + "\n"


def license_of(corpus: CorpusInfo) -> str | None:
    """Returns the hub's name for the licence that the corpus's credit states, None if it states none that is known."""
    credit = corpus.attribution or ""
    return next((name for name, words in _LICENSES.items() if words in credit), None)


def _metadata(manifest: Manifest) -> str:
    values = {
        "pretty_name": manifest.corpus.title,
        "license": license_of(manifest.corpus) or ("other" if manifest.corpus.attribution else "unknown"),
        "tags": ["embedding-quantization", "binary-quantization", "semantic-search"],
        "viewer": False,
    }
    # JSON is YAML, so whatever is in a title stays in its string.
    return "\n".join(["---", *(f"{name}: {json.dumps(value)}" for name, value in values.items()), "---"])


def _about(manifest: Manifest) -> str:
    texts = ""
    if manifest.distinct_text_count != manifest.row_count:
        texts = f" ({counted(manifest.distinct_text_count, 'distinct text')})"
    model = f"with `{_plain(manifest.model_id)}`" if manifest.has_model else "elsewhere, by a model it does not name,"
    return (
        f"# {_plain(manifest.corpus.title)}\n\n"
        f"A search index of {counted(manifest.row_count, 'document')}{texts}, embedded {model} in {manifest.dim} "
        f"dimensions and quantized to sign bits and int8. Built {manifest.built_at[:10]} with Embedding Quantization."
    )


def _sizes(manifest: Manifest) -> str:
    values = manifest.row_count * manifest.dim
    rows = [
        ("float32", f"{values * 4 / 1e6:,.1f}", "1"),
        ("int8", f"{values / 1e6:,.1f}", "1/4"),
        ("sign bits", f"{manifest.row_count * -(-manifest.dim // 8) / 1e6:,.1f}", "1/32"),
    ]
    return "## Size of the vectors\n\n" + _table(("precision", "MB", "of float32"), rows)


def _quality(manifest: Manifest) -> str:
    """Only what the manifest says was measured."""
    defaults, tuning = manifest.defaults, manifest.tuning
    text = (
        f"## Search settings\n\n{defaults.num_candidates:,} candidates by Hamming distance, "
        f"{defaults.rescore_multiplier} int8 vectors rescored per result (from: "
        f"{_plain(str(manifest.search.get('source', 'unknown')))})."
    )
    if tuning is None:
        return text
    measured = {name: value for name, value in asdict(tuning.recall).items() if value is not None}
    rows = [(_RUNGS[name], f"{value:.4f}") for name, value in measured.items()]
    among = f" on {tuning.sampled_queries:,} texts of the corpus"
    return f"{text}\n\nrecall@10 against the exact float32 scan, measured{among}:\n\n" + _table(
        ("search", "recall@10"), rows
    )


def _usage(repo_id: str, manifest: Manifest) -> str:
    call = 'search("your question")' if manifest.has_model else "search_vector(query)"
    return (
        "## Use it\n\n"
        "In the folder of Embedding Quantization:\n\n"
        f"```bash\npython app.py --index hf://datasets/{repo_id}\n```\n\n"
        "```python\nfrom retrieval import Searcher\nfrom retrieval.hub import fetch_bundle\n\n"
        f'searcher = Searcher.open(fetch_bundle("hf://datasets/{repo_id}"))\n'
        f"print(searcher.{call}.hits)\n```\n\n"
        f"`@COMMIT` after the name pins it. Every file is checked against `{MANIFEST_FILE}` before it is opened."
    )


def _files(manifest: Manifest) -> str:
    rows = [(f"`{name}`", f"{record.size_bytes / 1e6:,.1f}", _WHAT[name]) for name, record in manifest.files.items()]
    return "## Files\n\n" + _table(("file", "MB", "what"), rows)


def _credit(corpus: CorpusInfo) -> str:
    if corpus.attribution is None:
        return "## Licence\n\nThe licence of the documents is unknown: the corpus names none."
    link = f" (<{corpus.attribution_url}>)" if _is_link(corpus.attribution_url) else ""
    unknown = "" if license_of(corpus) else " This program does not know the licence by name."
    return f"## Licence and credit\n\n{_plain(corpus.attribution)}{link}.{unknown}"


def _is_link(url: str | None) -> bool:
    return url is not None and re.fullmatch(r"https?://[^\s<>]+", url) is not None


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Returns the text on one line, without anything that Markdown or HTML would interpret."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
