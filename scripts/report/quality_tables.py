"""Tables of quality: judged collections of evaluate.py, and the int8 codes and sign bits of compare_schemes.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.report.markdown import FigureMissingError, Figures, bytes_cell, kept_cell, markdown

_SHOWN = {"int8": ("all",), "signs": ("hamming_100", "hamming_10")}
"""Where the schemes differ: int8 over all vectors, and what the bits pass on; the first that was measured."""
_TITLES = {"int8": "int8 codes, all vectors scanned", "signs": "sign bits, best 100 (judged: 10)"}


def collections_of(files: Sequence[Figures]) -> list[Figures]:
    """Returns the collections of several files of evaluate.py, those without distractors first."""
    found: list[Figures] = [collection for file in files for collection in file["collections"]]
    return sorted(found, key=lambda collection: collection["distractors"] is not None)


def name_of(collection: Figures) -> str:
    """Returns a readable name: the collection, and the number of other texts it is mixed with."""
    planted = collection["distractors"]
    return f"{collection['collection']} among {planted['planted']:,}" if planted else str(collection["collection"])


def judged(files: Sequence[Figures]) -> Iterator[str]:
    """Yields the percent of float32's nDCG@10 that each search keeps, with its interval, for every collection."""
    collections = collections_of(files)
    header = ["search", "bytes per vector"]
    header += [f"{name_of(each)} ({each['counts']['scored_queries']:,} queries)" for each in collections]
    by_key = [{rung["key"]: rung for rung in each["rungs"]} for each in collections]
    rows = []
    for key, rung in by_key[0].items():
        own = [rungs[key] for rungs in by_key if key in rungs]
        if len(own) < len(by_key):
            continue  # a search that is not in every file cannot be compared across them
        label = f"**{rung['label']}**" if key == "ours" else rung["label"]
        rows.append([label, bytes_cell(rung), *(kept_cell(each["ndcg"]["kept"]) for each in own)])
        if key == "float32":
            rows[-1] = ["float32, nDCG@10", bytes_cell(rung), *(f"{each['ndcg']['mean']:.3f}" for each in own)]
    yield from markdown(header, rows)
    bootstrap = collections[0]["bootstrap"]
    yield ""
    yield (
        f"Percent of float32's nDCG@10, with the {bootstrap['confidence_percent']:g} % interval of a paired bootstrap "
        f"({bootstrap['resamples']:,} resamples, seed {bootstrap['seed']})."
    )


def schemes(figures: Figures) -> Iterator[str]:
    """Yields a table of int8 schemes and one of sign bits, a column per query set, in percent kept of the first row.

    Raises:
        FigureMissingError: if no query set and no collection was measured.
    """
    sets = {**figures["query_sets"], **figures["judged"]}
    if not sets:
        raise FigureMissingError("the comparison of schemes has no query set and no collection")
    for part, stages in _SHOWN.items():
        header = [_TITLES[part], "bytes per vector", *(f"{name}: {own['measure']}" for name, own in sets.items())]
        rows = []
        for number, first in enumerate(next(iter(sets.values()))[part]):
            cells = [_scheme_cell(own[part][number], stages, is_first=number == 0) for own in sets.values()]
            rows.append([first["label"], str(first["vector_bytes"]), *cells])
        yield from markdown(header, rows)
        yield ""
    yield "In brackets: percent kept of the first row, which is what the project does (95 % paired bootstrap interval)."


def _scheme_cell(row: Figures, stages: tuple[str, ...], *, is_first: bool) -> str:
    value = next((row["stages"][stage] for stage in stages if stage in row["stages"]), None)
    if value is None:
        return "-"
    kept = value["kept"]
    interval = "" if is_first or kept["percent"] is None else f" [{kept['low']:.1f}, {kept['high']:.1f}]"
    return f"{value['mean']:.4f}{interval}"
