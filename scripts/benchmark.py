"""Measure a built index: speed by stage, memory, and the recall that is kept, beside the reference path.

    python scripts/benchmark.py --index assets/indexes/packages --queries questions.txt --queries corpus-like.txt

Our path and the reference path (what the published demos do, see reference_path.py) run in processes of their own, in
turn, on the same queries: thread pools that spin would otherwise slow each other down. All recall is agreement with
the exact float32 scan over the same embeddings.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import STAGES, MemoryReport, QueryError, RetrievalError, Searcher, SearchSettings, load_encoder
from retrieval.evaluation import ExactAnswer, ExactBaseline
from retrieval.measurement import process_rss_bytes
from retrieval.quantization import Float32s
from scripts import reference_path
from scripts.machine import about_machine
from scripts.reference_path import ReferencePath, Timed

_TOP_K = 10
_WARM_UP_QUERIES = 30
_ROUNDS = 3
_CANDIDATES = (10, 40, 100, 400, 1000, 4000)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument(
        "--queries", type=Path, action="append", default=[], metavar="FILE",
        help="one query a line; may be given several times; without it, texts of the corpus are asked",
    )  # fmt: skip
    made.add_argument("--limit", type=int, default=300, metavar="N", help="queries of each file (default 300)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return made


def read_queries(files: Sequence[Path], searcher: Searcher, limit: int) -> dict[str, list[str]]:
    """Returns the queries by name of their file; sampled texts of the corpus when there is no file.

    Raises:
        QueryError: if a file cannot be read, or holds no query.
    """
    if not files:
        rows = np.random.default_rng(0).choice(len(searcher), size=min(limit, len(searcher)), replace=False)
        return {"texts of the corpus": [document.text for document in searcher.documents(rows.tolist())]}
    sets = {}
    for file in files:
        try:
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise QueryError(f"cannot read the queries in {file}: {error}") from error
        if not lines:
            raise QueryError(f"{file} holds no query: one a line is needed.")
        sets[file.stem] = lines[:limit]
    return sets


def _serve_ours(pipe: Connection, index: Path) -> None:
    searcher = Searcher.open(index, verify="now")
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        queries, top_k = asked
        answers = []
        for query in queries:
            response = searcher.search(query, top_k)
            stages = {**response.latency.stages, "total": response.latency.total_ms}
            stages["without encode"] = stages["total"] - stages["encode"]
            answers.append(Timed([hit.row for hit in response.hits], stages))
        pipe.send(answers)
    pipe.send((process_rss_bytes(), searcher.memory()))


@contextmanager
def _process(target: Any, *arguments: Any) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    try:
        if here.recv() != "ready":
            raise RetrievalError("a measured process did not start")
        yield here
    except EOFError as error:
        raise RetrievalError("a measured process ended early: see its message above") from error
    finally:
        here.close()
        process.join(10)
        process.terminate()


def _ask(pipe: Connection, queries: Sequence[str]) -> list[Timed]:
    pipe.send((queries, _TOP_K))
    answers: list[Timed] = pipe.recv()
    return answers


def measure_speed(index: Path, searcher: Searcher, sets: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Returns p50 and p95 by stage of both paths for each set of queries, and what both processes hold in the end."""
    manifest = searcher.manifest
    timings: dict[str, dict[str, list[Timed]]] = {name: {"ours": [], "reference": []} for name in sets}
    with (
        _process(_serve_ours, index) as ours,
        _process(reference_path.serve, index, manifest.model_id, manifest.dim) as reference,
    ):
        for pipe in (ours, reference):
            _ask(pipe, next(iter(sets.values()))[:_WARM_UP_QUERIES])
        for _ in range(_ROUNDS):
            for name, queries in sets.items():
                timings[name]["ours"] += _ask(ours, queries)
                timings[name]["reference"] += _ask(reference, queries)
        ours.send(None)
        reference.send(None)
        our_rss, memory = ours.recv()
        reference_rss = reference.recv()
    return {
        "sets": {name: _speed_of_set(both["ours"], both["reference"]) for name, both in timings.items()},
        "rss_bytes": {"ours": our_rss, "reference": reference_rss},
        "memory": _memory_json(memory),
    }


def _speed_of_set(ours: Sequence[Timed], reference: Sequence[Timed]) -> dict[str, Any]:
    figures = {
        "ours": {stage: _percentiles(ours, stage) for stage in (*STAGES, "without encode", "total")},
        "reference": {stage: _percentiles(reference, stage) for stage in reference_path.stage_names()},
    }
    ratio = figures["reference"]["total"]["p50"] / figures["ours"]["total"]["p50"]
    return {**figures, "reference_over_ours": ratio, "searches": len(ours)}


def _percentiles(answers: Sequence[Timed], stage: str) -> dict[str, float]:
    values = [answer.stages_ms[stage] for answer in answers]
    return {"p50": float(np.percentile(values, 50)), "p95": float(np.percentile(values, 95))}


def _memory_json(memory: MemoryReport) -> dict[str, Any]:
    return {
        "items": {item.name: {"bytes": item.size_bytes, "kind": item.kind, "is": item.label} for item in memory.items},
        "by_arithmetic": {
            "float32": memory.float32_bytes, "int8": memory.int8_bytes, "binary": memory.binary_bytes
        },
    }  # fmt: skip


def measure_recall(index: Path, searcher: Searcher, sets: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Returns recall@10 of our path at its defaults and by candidates, and of the reference path."""
    baseline = ExactBaseline.open(searcher.bundle)
    reference = ReferencePath(index, searcher.manifest.model_id, searcher.manifest.dim)
    encoder = searcher.encoder or load_encoder(searcher.manifest.model_id)
    figures = {}
    for name, queries in sets.items():
        vectors = encoder.encode(queries)
        truths = baseline.search(vectors, _TOP_K)
        figures[name] = _recall_of_set(searcher, reference, baseline, vectors, truths)
    return figures


def _recall_of_set(
    searcher: Searcher,
    reference: ReferencePath,
    baseline: ExactBaseline,
    vectors: Float32s,
    truths: Sequence[ExactAnswer],
) -> dict[str, Any]:
    def mean(rank: Any) -> float:
        kept = [baseline.recall(v, rank(v), t) for v, t in zip(vectors, truths, strict=True)]
        return float(np.mean(kept))

    def ours(settings: SearchSettings) -> float:
        return mean(lambda vector: searcher.nearest_texts(vector, settings))

    defaults = replace(searcher.defaults, top_k=_TOP_K)
    # Sweeps rescore every candidate, so that what is lost is lost by the bits (or by int8) alone.
    sweep = [replace(defaults, num_candidates=n, rescore_multiplier=n // _TOP_K) for n in _CANDIDATES]
    return {
        "queries": len(vectors),
        "ours": ours(defaults),
        "int8_rows_read": _TOP_K * defaults.rescore_multiplier,
        "reference": mean(lambda vector: reference.rank(vector, _TOP_K, _TOP_K)),
        "published 4x": mean(lambda vector: reference.rank(vector, _TOP_K, 4 * _TOP_K)),
        "by_candidates": {
            settings.num_candidates: {
                "raw int8 codes": mean(lambda v, n=settings.num_candidates: reference.rank(v, _TOP_K, n)),
                "de-quantized int8": ours(replace(settings, asymmetric=False)),
            }
            for settings in sweep
        },
    }


def measure_opening(index: Path, searcher: Searcher) -> dict[str, float]:
    """Returns the seconds to open the index with an encoder at hand, and the milliseconds to read the codes once."""
    opened = []
    for _ in range(5):
        start = time.perf_counter()
        Searcher.open(index, encoder=searcher.encoder, verify="never")
        opened.append(time.perf_counter() - start)
    words = np.array(searcher.codes).reshape(-1).view(np.uint64 if searcher.codes.shape[1] % 8 == 0 else np.uint8)
    passes = []
    for _ in range(30):
        start = time.perf_counter()
        words.sum()
        passes.append((time.perf_counter() - start) * 1e3)
    return {"open_s": float(np.median(opened)), "read_codes_once_ms": float(np.median(passes))}


def report(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yields the figures as lines of Markdown."""
    index, machine = figures["index"], figures["machine"]
    yield f"{index['title']}: {index['rows']:,} documents, {index['dim']} dimensions, {index['model']}."
    yield f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['os']}; {figures['taken_at']}."
    yield ""
    yield "| query set | recall@10, ours | int8 rows read | recall@10, reference | published 4x |"
    yield "|---|---|---|---|---|"
    for name, recall in figures["recall"].items():
        yield (
            f"| {name} ({recall['queries']}) | {recall['ours']:.3f} | {recall['int8_rows_read']} | "
            f"{recall['reference']:.3f} | {recall['published 4x']:.3f} |"
        )
    for name, speed in figures["speed"]["sets"].items():
        yield from _speed_lines(name, speed)
    yield ""
    yield "| memory and files | MB |"
    yield "|---|---|"
    for about in figures["speed"]["memory"]["items"].values():
        yield f"| {about['is']} | {about['bytes'] / 1e6:,.1f} |"
    reference_mb = figures["speed"]["rss_bytes"]["reference"] / 1e6
    yield f"| reference path: all pages of its process in RAM (RSS) | {reference_mb:,.1f} |"
    opening = figures["opening"]
    yield ""
    yield (
        f"Opening takes {opening['open_s']:.2f} s without the encoder; "
        f"reading the codes once takes {opening['read_codes_once_ms']:.2f} ms (numpy sum, one thread)."
    )


def _speed_lines(name: str, speed: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"| {name}: ms a query, p50 (p95) of {speed['searches']} | ours | reference path |"
    yield "|---|---|---|"
    for stage in (*STAGES, "without encode", "total"):
        cells = [
            f"{path[stage]['p50']:.2f} ({path[stage]['p95']:.2f})" if stage in path else "-"
            for path in (speed["ours"], speed["reference"])
        ]
        yield f"| {stage} | {cells[0]} | {cells[1]} |"
    yield f"| reference / ours, p50 | {speed['reference_over_ours']:.2f}x | |"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    try:
        searcher = Searcher.open(args.index, verify="now")
        manifest = searcher.manifest
        sets = read_queries(args.queries, searcher, args.limit)
        figures = {
            "taken_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "machine": about_machine(),
            "versions": dict(manifest.versions),
            "index": {
                "path": str(args.index), "title": manifest.corpus.title, "rows": manifest.row_count,
                "dim": manifest.dim, "model": manifest.model_id, "build_seconds": manifest.build_seconds,
                "files": {name: record.size_bytes for name, record in manifest.files.items()},
            },
            "recall": measure_recall(args.index, searcher, sets),
            "opening": measure_opening(args.index, searcher),
            "speed": measure_speed(args.index, searcher, sets),
        }  # fmt: skip
    except RetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(report(figures)))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
