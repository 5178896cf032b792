"""CoNaLa curated against CoNaLa mined: requests that people rewrote, judged by the question they came from.

A query is the rewritten intent, or the question's title where there is none; the mined question with the same
`question_id` is what should be found. Any other question may answer it as well, and counts as not relevant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import WrappedCorpus
from retrieval.corpus.beir_task import BeirTask
from retrieval.corpus.conala import REPO_ID, REVISION, ConalaCorpus
from retrieval.corpus.readers.base import Reader
from retrieval.corpus.readers.hub_dataset import open_hub_dataset
from retrieval.corpus.readers.opening import open_reader
from retrieval.errors import CorpusError

CURATED_FILES = ("curated/train/0000.parquet", "curated/test/0000.parquet")
CURATED_SCHEMA = pa.schema(
    [
        ("question_id", pa.int64()),
        ("intent", pa.string()),
        ("rewritten_intent", pa.string()),
        ("snippet", pa.string()),
    ]
)
_NEEDED = ("question_id", "intent", "rewritten_intent")


class ConalaQuestions(WrappedCorpus):
    """The questions of the mined pairs, each once, with the question's id as the id of the document."""

    @property
    def num_rows(self) -> None:
        """Returns None: it is known only after reading."""
        return None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the first pair of each question, in the order of the file.

        A question's title is repeated for every snippet. All of them are one text, and have one rank.

        Raises:
            CorpusError: if the mined pairs cannot be read.
        """
        seen: set[int | None] = set()
        for batch in self._corpus.batches():
            questions = batch.column("question_id").to_pylist()
            # Last first: of equal ones, the first stays.
            first_rows = {question: row for row, question in reversed(list(enumerate(questions)))}
            fresh = sorted(row for question, row in first_rows.items() if question not in seen)
            seen.update(first_rows)
            kept = batch.take(pa.array(fresh, pa.int64()))
            yield kept.append_column("_id", pc.cast(kept.column("question_id"), pa.string()))


def load_curated_task(mined: ConalaCorpus, copies: Sequence[Path] = ()) -> BeirTask:
    """Returns the curated requests as queries, judged by their question, from local copies or from the hub.

    Raises:
        CorpusError: if the rows cannot be loaded, or are not CoNaLa's.
    """
    queries: dict[str, str] = {}
    judgments: dict[str, dict[str, int]] = {}
    for source, reader in _readers(copies):
        for row, (question, text) in enumerate(_requests(source, reader)):
            query_id = f"{_split(source)}-{row}"
            if query_id in queries:
                raise CorpusError(f"two of the curated files are called {_split(source)!r}: give each its own name.")
            queries[query_id] = text
            judgments[query_id] = {str(question): 1}
    documents = _question_ids(mined)
    missing = sum(document not in documents for judged in judgments.values() for document in judged)
    return BeirTask(
        queries=queries,
        judgments=judgments,
        num_documents=len(documents),
        num_duplicate_document_ids=0,
        num_judgments_without_query=0,
        num_judgments_without_document=missing,
        num_repeated_judgments=0,
    )


def _readers(copies: Sequence[Path]) -> Iterator[tuple[str, Reader]]:
    if copies:
        for path in copies:
            yield str(path), open_reader(path)
        return
    for file in CURATED_FILES:
        yield (
            f"{REPO_ID}/{file}",
            open_hub_dataset(
                REPO_ID,
                parquet_file=file,
                revision=REVISION,
                otherwise="give local copies with --conala-curated FILE FILE --conala-mined FILE",
            ),
        )


def _split(source: str) -> str:
    """Returns `train` for .../curated/train/0000.parquet as for train.parquet."""
    path = Path(source)
    return path.parent.name if path.stem.isdecimal() and path.parent.name else path.stem


def _requests(source: str, reader: Reader) -> Iterator[tuple[int, str]]:
    if missing := [name for name in _NEEDED if name not in reader.schema.names]:
        raise CorpusError(
            f"{source} does not hold CoNaLa's curated requests: expected the columns {', '.join(_NEEDED)}, found "
            f"{', '.join(reader.schema.names)}, without {', '.join(missing)}."
        )
    number = 0
    for batch in reader.batches():
        try:
            ids = pc.cast(batch.column("question_id"), pa.int64())
            texts = pc.coalesce(*(pc.cast(batch.column(name), pa.string()) for name in ("rewritten_intent", "intent")))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise CorpusError(f"{source} does not hold CoNaLa's curated requests: {error}.") from error
        for question, text in zip(ids.to_pylist(), texts.to_pylist(), strict=True):
            number += 1
            if question is None or text is None:
                raise CorpusError(f"{source}, row {number}: expected a question_id and an intent, found none.")
            yield question, text


def _question_ids(mined: ConalaCorpus) -> set[str]:
    found: set[str] = set()
    for batch in mined.batches():
        found.update(map(str, pc.unique(batch.column("question_id")).to_pylist()))
    return found
