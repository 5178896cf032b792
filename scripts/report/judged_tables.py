"""The table of judged quality, from what evaluate.py writes, and the collections in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scripts.report.markdown import Figures, markdown


def collections_of(files: Sequence[Figures]) -> list[Figures]:
    """Returns the collections of several files of evaluate.py, those that stand alone first."""
    found: list[Figures] = [collection for file in files for collection in file["collections"]]
    return sorted(found, key=lambda collection: collection["distractors"] is not None)


def name_of(collection: Figures) -> str:
    """Returns a name for people: the collection, and among how many other texts it stands."""
    planted = collection["distractors"]
    return f"{collection['collection']} among {planted['planted']:,}" if planted else str(collection["collection"])


def judged(files: Sequence[Figures]) -> Iterator[str]:
    """Yields the percent of float32's nDCG@10 that each search keeps, with its interval, for every collection."""
    collections = collections_of(files)
    header = ["search", "bytes a vector"]
    header += [f"{name_of(each)} ({each['counts']['scored_queries']:,} queries)" for each in collections]
    by_key = [{rung["key"]: rung for rung in each["rungs"]} for each in collections]
    rows = []
    for key, rung in by_key[0].items():
        own = [rungs[key] for rungs in by_key if key in rungs]
        if len(own) < len(by_key):
            continue  # a search that not every file has cannot be compared across them
        label = f"**{rung['label']}**" if key == "ours" else rung["label"]
        rows.append([label, _bytes(rung), *(_cell(each) for each in own)])
        if key == "float32":
            rows[-1] = ["float32, nDCG@10", _bytes(rung), *(f"{each['ndcg']['mean']:.3f}" for each in own)]
    yield from markdown(header, rows)
    bootstrap = collections[0]["bootstrap"]
    yield ""
    yield (
        f"Percent of float32's nDCG@10, with the {bootstrap['confidence_percent']:g} % interval of a paired bootstrap "
        f"({bootstrap['resamples']:,} resamples, seed {bootstrap['seed']})."
    )


def _cell(rung: Any) -> str:
    kept = rung["ndcg"]["kept"]
    return "-" if kept["percent"] is None else f"{kept['percent']:.1f} [{kept['low']:.1f}, {kept['high']:.1f}]"


def _bytes(rung: Any) -> str:
    return f"{rung['scanned_bytes']:,}" + (f" + {rung['rescored_bytes']:,} on disk" if rung["rescored_bytes"] else "")
