"""What a search is given, checked: the text, the vector and the knobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from retrieval.encoding.encoder import clean_text
from retrieval.errors import QueryError
from retrieval.quantization import Float32s
from retrieval.results import SearchKnobs, SearchSettings


def usable_text(query: str) -> str:
    """Returns the query as a tokenizer accepts it.

    Raises:
        QueryError: if it is no text, or blank.
    """
    if not isinstance(query, str):
        raise QueryError(f"the query is {type(query).__name__}: a text is needed.")
    text = clean_text(query.replace("\0", " ")).strip()
    if not text:
        raise QueryError("the query is empty: type a few words to search for.")
    return text


def unit_vector(vector: npt.ArrayLike, dim: int) -> Float32s:
    """Returns a query vector at length 1, float32 `(dim,)`.

    Raises:
        QueryError: if it has another shape, is not finite or has no length.
    """
    try:
        values = np.asarray(vector, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise QueryError(f"the query vector is not {dim} finite numbers: {error}.") from error
    length = float(np.linalg.norm(values))
    if values.shape != (dim,) or not np.isfinite(length) or length == 0:
        raise QueryError(
            f"the query vector has shape {values.shape} and length {length:g}: "
            f"{dim} finite numbers, not all 0, are needed."
        )
    return values / np.float32(length)


def chosen_settings(
    defaults: SearchSettings,
    top_k: int | None,
    knobs: SearchKnobs,
    *,
    num_rows: int,
    num_texts: int,
    scans: Sequence[str],
) -> SearchSettings:
    """Returns the `defaults` with what was given, cut to what there is in the index; None is not given.

    Raises:
        QueryError: if a number is no whole number from 1 on, or the index has no such scan.
        TypeError: if a knob is unknown.
    """
    given = {name: value for name, value in {"top_k": top_k, **knobs}.items() if value is not None}
    settings = dataclasses.replace(defaults, **given)  # type: ignore[arg-type]
    for name in ("top_k", "num_candidates", "rescore_multiplier", "probes"):
        value = getattr(settings, name)
        if name == "probes" and value is None:
            continue
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise QueryError(f"{name} is {value!r}: a whole number from 1 on is needed.")
    _check_scan(settings.scan, scans)
    # int(): numpy's whole numbers overflow where Python's do not.
    top_k = min(int(settings.top_k), num_rows)
    num_candidates = min(max(int(settings.num_candidates), top_k), num_texts)
    return dataclasses.replace(
        settings,
        top_k=top_k,
        num_candidates=num_candidates,
        rescore_multiplier=int(settings.rescore_multiplier),
        probes=None if settings.scan != "lists" or settings.probes is None else int(settings.probes),
    )


def _check_scan(scan: str, scans: Sequence[str]) -> None:
    if scan in scans:
        return
    if scan == "lists":
        raise QueryError(
            "this index has no lists: build it again with --lists auto or a number of lists, or search it "
            "with the scan float-bits."
        )
    raise QueryError(f"scan is {scan!r}: one of {', '.join(scans)} is needed.")
