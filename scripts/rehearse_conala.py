"""Make a rehearsal of CoNaLa at full size, and serve it like the hub would.

    .venv/bin/python scripts/rehearse_conala.py --titles stackoverflow-titles.parquet --output build/hub --serve
    HF_ENDPOINT=http://127.0.0.1:8899 HF_HOME=build/hf .venv/bin/python scripts/build_index.py --corpus conala ...

The rows have the columns, the types and the number of the real ones, and their skew: real titles, each repeated once
for every snippet, most of them 5 to 20 times and one 5,000 times. The snippets are made up.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retrieval.corpus.conala import FILE, REPO_ID, REVISION, SCHEMA
from scripts.judged.conala_curated import CURATED_FILES, CURATED_SCHEMA

FULL_ROWS = 593_891
FULL_QUESTIONS = 40_000
BIGGEST_QUESTION = 5_000
CURATED_ROWS = dict(zip(CURATED_FILES, (2_379, 500), strict=True))
_ROW_GROUP_ROWS = 10_000
_TEMPLATES = (
    "sorted({0}, key=lambda {1}: {1}[{2}])",
    "[{1} for {1} in {0} if {1} != {2}]",
    "{0} = {{{1}: {2} for {1} in {0}}}",
    "with open('{1}.txt') as {0}:\n    {0}.seek({2})",
    "{0}.split('{1}', {2})",
    "for {1} in range({2}):\n    {0}.append({1})",
    "df['{0}'] = df['{1}'].shift({2})",
    "re.sub(r'{0}+', '{1}', text, count={2})",
    "np.array({0}).reshape({2}, -1)",
    "print('{0}: %s' % {1}[{2}])",
)


def rehearsal_rows(titles: pa.Table, num_rows: int) -> pa.Table:
    """Returns rows in the shape of CoNaLa's mined pairs, by falling `prob` as there.

    `titles` has the columns `question_id` and `intent`. The number of questions shrinks with the number of rows; the
    biggest question keeps its 5,000 rows as long as that is no more than a quarter of all.
    """
    random = np.random.default_rng(0)
    _, first_rows = np.unique(titles.column("question_id").to_numpy(), return_index=True)
    titles = titles.take(pa.array(np.sort(first_rows)))
    counts = _rows_by_question(random, num_rows, len(titles))
    question = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(num_rows) - np.repeat(np.cumsum(counts) - counts, counts)
    prob = np.sort(random.beta(0.35, 2.2, num_rows) * 0.87)[::-1]
    order = random.permutation(num_rows)
    question, nth = question[order], nth[order]
    chosen = titles.slice(0, len(counts))
    ids = chosen.column("question_id").to_numpy()
    words = [_names_in(title) for title in chosen.column("intent").to_pylist()]
    answers = ids[question] + 1 + nth // 5
    columns = [
        ids[question],
        answers,
        prob,
        [_snippet(words[which], int(number)) for which, number in zip(question, nth, strict=True)],
        chosen.column("intent").combine_chunks().take(pa.array(question)),
        [f"{one}_{other}_{number}" for one, other, number in zip(ids[question], answers, nth, strict=True)],
    ]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def curated_rows(rows: pa.Table, num_rows: int, seed: int = 0) -> pa.Table:
    """Returns rows in the shape of CoNaLa's curated requests: words of mined titles, a fifth of them not rewritten."""
    random = np.random.default_rng(seed)
    chosen = rows.take(pa.array(random.integers(0, len(rows), num_rows)))
    titles = chosen.column("intent").to_pylist()
    rewritten = [None if random.random() < 0.2 else _rewritten(random, title) for title in titles]
    columns = [chosen.column("question_id"), chosen.column("intent"), rewritten, chosen.column("snippet")]
    return pa.table(dict(zip(CURATED_SCHEMA.names, columns, strict=True)), schema=CURATED_SCHEMA)


def _rewritten(random: np.random.Generator, title: str) -> str:
    words = [word for word in title.split() if random.random() < 0.8] or title.split()
    return " ".join([*words, "`x`"])


def write_repository(rows: pa.Table, root: Path) -> Path:
    """Writes the rows where the stand-in looks for them, and a main branch with no data, as on the real hub."""
    from scripts.hub_stand_in.folders import revision_folder

    main = revision_folder(root, REPO_ID)
    main.mkdir(parents=True, exist_ok=True)
    (main / "README.md").write_text("# Rehearsal of CoNaLa\n", encoding="utf-8")
    (main / "conala.py").write_text("# The loading script that `datasets` no longer runs.\n", encoding="utf-8")
    path = revision_folder(root, REPO_ID, REVISION) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, row_group_size=_ROW_GROUP_ROWS)
    for seed, (file, num_rows) in enumerate(CURATED_ROWS.items()):
        curated = revision_folder(root, REPO_ID, REVISION) / file
        curated.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(curated_rows(rows, num_rows, seed), curated)
    return path


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=FULL_ROWS, metavar="N")
    made.add_argument("--titles", type=Path, required=True, metavar="PARQUET", help="with question_id and intent")
    made.add_argument("--output", type=Path, required=True, metavar="DIR", help="root folder of the stand-in")
    made.add_argument("--serve", action="store_true", help="serve DIR when done, until interrupted")
    made.add_argument("--port", type=int, default=8899)
    return made


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    rows = rehearsal_rows(pq.read_table(args.titles), args.rows)
    path = write_repository(rows, args.output)
    print(f"{path}: {rows.num_rows:,} rows, {path.stat().st_size / 1e6:.1f} MB")
    if args.serve:
        _serve(args.output, args.port)
    return 0


def _serve(root: Path, port: int) -> None:
    from scripts.hub_stand_in.server import HubStandIn

    with HubStandIn(root, port) as hub:
        print(f"HF_ENDPOINT={hub.endpoint}  (Ctrl-C ends it)", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print("stopped.")


def _rows_by_question(random: np.random.Generator, num_rows: int, num_titles: int) -> np.ndarray:
    """Returns how many rows each question has, int64 `(num_questions,)`: skewed, at least 1, `num_rows` in sum."""
    num_questions = min(num_titles, max(1, num_rows * FULL_QUESTIONS // FULL_ROWS))
    biggest = min(BIGGEST_QUESTION, num_rows // 4)
    weights = random.lognormal(0.0, 0.7, num_questions - 1)
    rest = num_rows - biggest - (num_questions - 1)
    counts = 1 + np.floor(weights / weights.sum() * rest).astype(np.int64)
    counts[: num_rows - biggest - counts.sum()] += 1
    return np.concatenate([[biggest], counts])


def _names_in(title: str) -> tuple[str, str]:
    words = [word.lower() for word in title.split() if word.isascii() and word.isidentifier() and len(word) > 2]
    return (words[-1], words[0]) if words else ("items", "item")


def _snippet(names: tuple[str, str], number: int) -> str:
    return _TEMPLATES[number % len(_TEMPLATES)].format(*names, number // len(_TEMPLATES))


if __name__ == "__main__":
    sys.exit(main())
