"""The frontier of vectors, measured in the child process: a look at them, then the measurement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from retrieval.corpus.vector_columns import ArrayVectors
from retrieval.errors import VectorsError
from retrieval.evaluation.frontier.given import GivenVectors
from retrieval.evaluation.frontier.measure import measure_frontier
from retrieval.evaluation.frontier.neighbours import some_neighbours
from retrieval.evaluation.frontier.run import FrontierOptions
from retrieval.evaluation.frontier.vectors import Vectors, sample_of
from retrieval.indexing.any_vectors import open_any_vectors
from retrieval.indexing.npy_vectors import NpyVectors
from retrieval.serving.child_process import Reports, Request

_PERCENT = 100


def look_at_vectors(path: Path) -> dict[str, Any]:
    """Returns how many vectors a file holds, of how many dimensions, and how they are stored.

    Raises:
        VectorsError: if it is not a file of vectors.
    """
    vectors = open_any_vectors(path, None, 1)
    kind = vectors.dtype.name if isinstance(vectors, NpyVectors) else "float32"
    return {"count": len(vectors), "dim": vectors.dim, "kind": kind, "columns": []}


def measure(request: Request, reports: Reports) -> dict[str, Any]:
    """Returns the frontier and some vectors' neighbours as JSON values, and whether they were scaled to length 1.

    Of more vectors than `max_rows`, the first are taken, or with `spread` some from all over the file.

    Raises:
        RetrievalError: if the vectors cannot be used.
    """
    reports.progress("opening")
    max_rows = int(request["max_rows"])
    opened = open_any_vectors(Path(request["vectors"]), request.get("column"), max_rows)
    num_given = opened.num_vectors
    if opened.dim > request["max_dim"]:
        raise VectorsError(
            f"the vectors have {opened.dim:,} dimensions: at most {request['max_dim']:,} can be measured here."
        )
    taken: Vectors = opened
    if request["spread"] and len(opened) > max_rows:
        taken = ArrayVectors(sample_of(opened, max_rows))
    given = GivenVectors(taken, request["metric"], max_rows)

    def show(share: float, scheme: str) -> None:
        reports.progress("measuring", round(_PERCENT * share), _PERCENT)

    options = FrontierOptions(
        metric=request["metric"], max_queries=int(request["max_queries"]), max_seconds=float(request["max_seconds"])
    )
    vectors = given.all()
    frontier = measure_frontier(ArrayVectors(vectors), None, options, show, num_given=num_given)
    # Taken from all over an index, a vector is not known by its row any more.
    neighbours = () if request["spread"] else some_neighbours(vectors, inner_product=options.metric != "euclidean")
    return {
        "frontier": frontier.to_json(),
        "neighbours": [each.to_json() for each in neighbours],
        "were_normalized": given.were_normalized,
    }
