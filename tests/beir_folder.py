"""Tiny judged collections on disk, in BEIR's format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_collection(
    folder: Path,
    documents: Iterable[tuple[str, str]],
    queries: Iterable[tuple[str, str]],
    judgments: Mapping[tuple[str, str], int],
) -> Path:
    """Returns `folder`, made, with documents and queries as (id, text), and relevance by (query id, document id)."""
    (folder / "qrels").mkdir(parents=True)
    for name, records in (("corpus", documents), ("queries", queries)):
        lines = (json.dumps({"_id": identifier, "text": text}) for identifier, text in records)
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    judged = "".join(f"{query}\t{document}\t{relevance}\n" for (query, document), relevance in judgments.items())
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder
