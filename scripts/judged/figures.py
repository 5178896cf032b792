"""The figures of evaluate.py: rankings scored by the judgments, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from retrieval.corpus.beir_task import BeirTask
from retrieval.evaluation.judged import CONFIDENCE_PERCENT, CUTOFF, JudgedCollection, JudgedScores, PairedBootstrap
from retrieval.evaluation.ladder import CurvePoint, Ladder, Rung
from retrieval.evaluation.published import ARTICLE_DEPTH, ARTICLE_MULTIPLIER, RawRescored
from retrieval.evaluation.way import Way
from retrieval.evaluation.ways import FloatBits, Ours
from scripts.judged.planted import PlantedCorpus

_SEED = 0
_NUM_RESAMPLES = 5000
_REFERENCE = f"bits_{ARTICLE_MULTIPLIER * CUTOFF}_int8_codes"
_FLOAT32, _OURS = "float32", "ours"
_LABELS = {
    "float32": "float32",
    "int8_both": "int8 query x raw int8 codes (the article's int8)",
    "int8_codes": "float query x raw int8 codes",
    "int8": "float query x de-quantized int8",
    "bits": "bits alone",
}
"""Of the ways that have no numbers of their own, by `Way.key`."""


def measure(ladder: Ladder, scorer: JudgedCollection, query_ids: Sequence[str]) -> dict[str, Any]:
    """Returns the figures of every rung and every point of the curves, each compared with float32."""
    bootstrap = PairedBootstrap(len(query_ids), num_resamples=_NUM_RESAMPLES, seed=_SEED)
    rungs = list(ladder.rungs())
    dim = ladder.vectors.shape[1]
    scores = {rung.key: scorer.scores(query_ids, rung.rankings) for rung in rungs}
    exact = scores[_FLOAT32]

    def curve(points: Sequence[CurvePoint]) -> list[dict[str, Any]]:
        found = [(point, scorer.scores(query_ids, point.rankings)) for point in points]
        return [
            {"multiplier": point.multiplier, "num_candidates": point.num_candidates,
             **_quality(own, exact, bootstrap)} for point, own in found
        ]  # fmt: skip

    return {
        "rungs": [
            {
                **_about(rung, dim),
                "recall": float(ladder.baseline.recalls(ladder.vectors, rung.rankings, ladder.truths).mean()),
                **_quality(scores[rung.key], exact, bootstrap),
            }
            for rung in rungs
        ],
        "ours_against_published_4x": _quality(scores[_OURS], scores[_REFERENCE], bootstrap),
        "curves": {
            f"binary_depth_{CUTOFF}": curve(list(ladder.binary_curve(CUTOFF))),
            f"binary_depth_{ARTICLE_DEPTH}": curve(list(ladder.binary_curve(ARTICLE_DEPTH))),
            "int8_first_raw_codes": curve(list(ladder.int8_curve(float_documents=False))),
            "int8_first_float32": curve(list(ladder.int8_curve(float_documents=True))),
        },
    }


def _about(rung: Rung, dim: int) -> dict[str, Any]:
    return {
        "key": rung.key,
        "label": label_of(rung.way),
        "scanned_bytes": rung.way.ram_vector_bytes(dim),
        "rescored_bytes": rung.way.disk_vector_bytes(dim),
    }


def label_of(way: Way) -> str:
    """Returns what a way does, in a few words."""
    if isinstance(way, FloatBits):
        article = ARTICLE_MULTIPLIER * ARTICLE_DEPTH
        whose = "the same as the article measured it" if way.num_candidates == article else "the article's binary"
        return f"bits, best {way.num_candidates} by float query x bits ({whose})"
    if isinstance(way, RawRescored):
        whose = "the 2024 demo, 4x" if way.multiplier == ARTICLE_MULTIPLIER else "without a multiplier"
        return f"bits, best {way.multiplier * CUTOFF} by raw int8 codes ({whose})"
    if isinstance(way, Ours):
        used = way.settings(CUTOFF)
        rescored = used.rescore_multiplier * CUTOFF
        return f"ours: bits, best {used.num_candidates} -> {rescored} by float query x bits -> int8"
    return _LABELS[way.key]


def _quality(scores: JudgedScores, other: JudgedScores, bootstrap: PairedBootstrap) -> dict[str, Any]:
    return {
        name: {"mean": float(own.mean()), "kept": asdict(bootstrap.ratio(own, others))}
        for name, own, others in (("ndcg", scores.ndcg, other.ndcg), ("mrr", scores.mrr, other.mrr))
    }


def about_bootstrap() -> dict[str, float]:
    """Returns how the intervals were made."""
    return {"resamples": _NUM_RESAMPLES, "seed": _SEED, "confidence_percent": CONFIDENCE_PERCENT}


def about_distractors(planted: PlantedCorpus | None, rows_read: int, task: BeirTask) -> dict[str, int] | None:
    """Returns how many distractors were added to the collection's rows, and how many were left out."""
    if planted is None:
        return None
    own_rows = task.num_documents + task.num_duplicate_document_ids
    return {"planted": rows_read - own_rows, "identical_left_out": planted.num_identical}


def counts(task: BeirTask, num_scored: int, dropped_rows: int) -> dict[str, int]:
    """Returns what a collection holds, and all that is odd about it."""
    return {
        "documents": task.num_documents,
        "queries": len(task.queries),
        "scored_queries": num_scored,
        "unjudged_queries": len(task.unjudged_queries),
        "queries_with_nothing_relevant": len(task.queries) - len(task.unjudged_queries) - num_scored,
        "judgments": sum(len(judgments) for judgments in task.judgments.values()),
        "judgments_without_query": task.num_judgments_without_query,
        "judgments_without_document": task.num_judgments_without_document,
        "repeated_judgments": task.num_repeated_judgments,
        "duplicate_document_ids": task.num_duplicate_document_ids,
        "documents_without_text": dropped_rows,
    }
