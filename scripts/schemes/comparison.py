"""Searches one set of embeddings in every scheme, and measures what each stage keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from retrieval import Searcher
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.evaluation.judged import Float64s, PairedBootstrap
from retrieval.quantization import Float32s, num_code_bytes
from retrieval.results import SearchSettings
from retrieval.search.exact_scan import scan
from retrieval.search.rescoring import asymmetric_scores
from scripts.schemes.kinds import Int8Scheme, SignScheme, int8_schemes, sign_codes, sign_schemes

TOP_K = 10
PATH = SearchSettings()
"""The same for all schemes, whatever was chosen for the index."""
_NUM_ROWS = PATH.rescore_multiplier * TOP_K
SETTINGS = ((1000, 20), (100, 4), (200, 6), (500, 10), (700, 15), (1000, 12), (2000, 30))
"""Candidates and multipliers; the first is `PATH`."""
_HAMMING = (10, 100, 1000)
_ASYMMETRIC = (10, 100, 200)
_QUERIES_AT_ONCE = 50

Answers = Mapping[str, Sequence[Rows]]
"""By name of the stage: for each query the rows of distinct texts that it answers or passes on, best first."""
Measure = Callable[[Answers], dict[str, Float64s]]
"""From answers to the value of each query, by name of the stage."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the product's search."""

    num_candidates: int
    rescore_multiplier: int
    vector_bytes: int

    @property
    def key(self) -> str:
        """Returns its name in the figures."""
        return f"{self.num_candidates}_{self.rescore_multiplier * TOP_K}"

    @property
    def label(self) -> str:
        """Returns it in words."""
        return f"{self.num_candidates:,} candidates, {self.rescore_multiplier * TOP_K} int8 rows"


class Comparison:
    """Searches one set of embeddings for the same queries in every scheme."""

    def __init__(self, searcher: Searcher, vectors: Float32s) -> None:
        """Takes the queries, float32 `(m, dim)` of length 1.

        Raises:
            BundleMissingError: if the index was built without the float32 baseline.
        """
        self.baseline = ExactBaseline.open(searcher.bundle)
        self.vectors = vectors
        self.truths = self.baseline.search(vectors, TOP_K)
        self._quantizer = searcher.manifest.quantizer
        _, by_plain_bits = self._by_bits(next(sign_schemes(self.baseline)))
        self._searcher = searcher
        self._rescored = [rows[:_NUM_ROWS] for rows in by_plain_bits]

    def int8_answers(self) -> Iterator[tuple[Int8Scheme, Answers]]:
        """Yields each int8 scheme with what a scan of all its vectors answers, and what the whole path does."""
        for scheme in int8_schemes(self.baseline, self._quantizer):
            fetch = self._fetcher(scheme)
            found = scan(self.vectors, self.baseline.text_rows, fetch, TOP_K)
            yield scheme, {"all": [answer.rows for answer in found], "path": self._ranked(self._rescored, fetch)}

    def sign_answers(self) -> Iterator[tuple[SignScheme, Answers]]:
        """Yields each sign scheme with what its stages pass on, and what the whole path answers."""
        fetch = self._fetcher(next(int8_schemes(self.baseline, self._quantizer)))
        for scheme in sign_schemes(self.baseline):
            hamming, asymmetric = self._by_bits(scheme)
            yield (
                scheme,
                {
                    **{f"hamming_{count}": [rows[:count] for rows in hamming] for count in _HAMMING},
                    **{f"asymmetric_{count}": [rows[:count] for rows in asymmetric] for count in _ASYMMETRIC},
                    "path": self._ranked([rows[:_NUM_ROWS] for rows in asymmetric], fetch),
                },
            )

    def setting_answers(self) -> Iterator[tuple[Setting, Answers]]:
        """Yields settings of the search with what they answer, the one that all schemes are compared with first."""
        dim = self.vectors.shape[1]
        for num_candidates, multiplier in SETTINGS:
            setting = Setting(num_candidates, multiplier, dim + num_code_bytes(dim))
            own = replace(PATH, num_candidates=num_candidates, rescore_multiplier=multiplier)
            yield setting, {"path": [self._searcher.nearest_texts(vector, own) for vector in self.vectors]}

    def recall(self, answers: Answers) -> dict[str, Float64s]:
        """Returns the share of the exact ten that each stage answers or passes on, by query."""
        return {stage: self.baseline.recalls(self.vectors, found, self.truths) for stage, found in answers.items()}

    def _by_bits(self, scheme: SignScheme) -> tuple[list[Rows], list[Rows]]:
        """Returns the candidates of each query, in order of Hamming distance and of float query x bits."""
        codes = sign_codes(scheme, self.baseline)
        index = BinaryIndex(codes, self.vectors.shape[1])
        query_codes, moved = scheme.codes(self.vectors), scheme.moved(self.vectors)
        hamming, asymmetric = [], []
        for start in range(0, len(moved), _QUERIES_AT_ONCE):
            found = index.search_batch(query_codes[start : start + _QUERIES_AT_ONCE], PATH.num_candidates)
            for query, texts in zip(moved[start : start + _QUERIES_AT_ONCE], found.ids, strict=True):
                order = np.argsort(-asymmetric_scores(query, codes[texts]), kind="stable")
                hamming.append(self.baseline.text_rows[texts])
                asymmetric.append(self.baseline.text_rows[texts[order]])
        return hamming, asymmetric

    def _ranked(self, candidates: Sequence[Rows], fetch: Callable[[Rows], Float32s]) -> list[Rows]:
        return [
            rows[np.argsort(-(fetch(rows) @ vector), kind="stable")[:TOP_K]]
            for vector, rows in zip(self.vectors, candidates, strict=True)
        ]

    def _fetcher(self, scheme: Int8Scheme) -> Callable[[Rows], Float32s]:
        return lambda rows: scheme.restore(np.asarray(self.baseline.embeddings[rows]))


def figures(comparison: Comparison, measure: Measure, sets: Mapping[str, slice]) -> dict[str, dict[str, Any]]:
    """Returns, for each set of queries, the mean of every stage of every scheme, and what is kept of the first's."""
    bootstraps = {name: PairedBootstrap(own.stop - own.start) for name, own in sets.items()}
    made: dict[str, dict[str, Any]] = {name: {"int8": [], "signs": [], "settings": []} for name in sets}

    def add(part: str, schemes: Iterator[tuple[Int8Scheme | SignScheme | Setting, Answers]]) -> None:
        first: dict[str, Float64s] = {}
        for scheme, answers in schemes:
            found = measure(answers)
            first = first or found
            about = {"key": scheme.key, "label": scheme.label, "vector_bytes": scheme.vector_bytes}
            for name, own in sets.items():
                stages = {
                    stage: {
                        "mean": float(values[own].mean()),
                        "kept": asdict(bootstraps[name].ratio(values[own], first[stage][own])),
                    }
                    for stage, values in found.items()
                }
                made[name][part].append({**about, "stages": stages})

    add("int8", comparison.int8_answers())
    add("signs", comparison.sign_answers())
    add("settings", comparison.setting_answers())
    return made
