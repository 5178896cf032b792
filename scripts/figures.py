"""Make the tables and plots of the README and of assets/docs/measurements.md from what was measured.

    python scripts/figures.py             # or: make figures
    python scripts/figures.py --check     # changes nothing; exit status 1 if a table is not current

In assets/benchmarks, packages.json is what scripts/benchmark.py --json wrote, judged*.json what scripts/evaluate.py
--json wrote, and schemes-packages.json what scripts/compare_schemes.py --json wrote. A table NAME goes between
`<!-- figures: NAME -->` and `<!-- /figures -->` in a text. NAME is one of: machine, recall, paths, scans, sweep,
cold, memory, growth, opening, peers, quick (of benchmark.py), judged, schemes, and page (page.json of
scripts/page_latency.py). Plots become files beside the JSON; they need matplotlib of requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from retrieval import DependencyError, RetrievalError
from scripts.report.judged_tables import judged
from scripts.report.markdown import FigureMissingError
from scripts.report.markers import MarkerError, replaced
from scripts.report.page_table import page
from scripts.report.scheme_tables import schemes
from scripts.report.tables import TABLES

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "assets" / "benchmarks"
TEXTS = (ROOT / "README.md", ROOT / "assets" / "docs" / "measurements.md")
RUN_FILE = "packages.json"
SCHEMES_FILE = "schemes-packages.json"
PAGE_FILE = "page.json"
_JUDGED, _SCHEMES, _PAGE = "judged", "schemes", "page"


class Measured:
    """What was measured: one run of benchmark.py, and the files of evaluate.py."""

    def __init__(self, folder: Path) -> None:
        """Reads the JSON files of a folder; those that are missing are missed when a table asks for them.

        Raises:
            FigureMissingError: if a file is no JSON.
        """
        self.folder = folder
        self.run = _read(folder / RUN_FILE)
        self.schemes = _read(folder / SCHEMES_FILE)
        self.page = _read(folder / PAGE_FILE)
        self.judged = [figures for path in sorted(folder.glob("judged*.json")) if (figures := _read(path))]

    def table(self, name: str) -> str:
        """Returns the lines of a table.

        Raises:
            MarkerError: if there is no table of that name.
            FigureMissingError: if its figures were not measured.
        """
        if name == _JUDGED:
            if not self.judged:
                raise FigureMissingError(
                    f"no judged*.json is in {self.folder.name}: scripts/evaluate.py --json writes it"
                )
            return "\n".join(judged(self.judged))
        if name == _PAGE:
            if self.page is None:
                raise FigureMissingError(
                    f"{PAGE_FILE} is not in {self.folder.name}: scripts/page_latency.py --json writes it"
                )
            return "\n".join(page(self.page))
        if name == _SCHEMES:
            if self.schemes is None:
                raise FigureMissingError(
                    f"{SCHEMES_FILE} is not in {self.folder.name}: scripts/compare_schemes.py --json writes it"
                )
            return "\n".join(schemes(self.schemes))
        if name not in TABLES:
            raise MarkerError(f"there is no table {name!r}; there are {', '.join((*TABLES, _JUDGED, _SCHEMES, _PAGE))}")
        if self.run is None:
            raise FigureMissingError(f"{RUN_FILE} is not in {self.folder.name}: scripts/benchmark.py --json writes it")
        return "\n".join(TABLES[name](self.run))

    def plots(self) -> Iterator[tuple[str, bytes]]:
        """Yields the name and the bytes of every plot that there are figures for.

        Raises:
            DependencyError: if matplotlib is not installed.
        """
        try:
            from scripts.report.plots import JUDGED_PLOTS, RUN_PLOTS
        except ImportError as error:
            raise DependencyError(
                f"plots need matplotlib ({error}): .venv/bin/python -m pip install -r requirements-bench.txt"
            ) from error
        drawn = [(name, partial(plot, self.run)) for name, plot in RUN_PLOTS.items() if self.run]
        drawn += [(name, partial(plot, self.judged)) for name, plot in JUDGED_PLOTS.items() if self.judged]
        for name, draw in drawn:
            try:
                yield f"{name}.svg", draw()
            except FigureMissingError as error:
                print(f"note: {name}.svg is not drawn: {error}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--benchmarks", type=Path, default=BENCHMARKS, metavar="DIR", help="where the JSON files are")
    made.add_argument("--text", type=Path, action="append", metavar="FILE", help="a text with markers; may be repeated")
    made.add_argument("--check", action="store_true", help="change nothing; exit status 1 if a table is not current")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    try:
        measured = Measured(args.benchmarks)
        before = {path: path.read_text(encoding="utf-8") for path in args.text or TEXTS}
        fresh = {path: replaced(text, measured.table) for path, text in before.items()}
        if args.check:
            print("current." if fresh == before else "not current: run make figures.")
            return int(fresh != before)
        for name, drawn in measured.plots():
            (args.benchmarks / name).write_bytes(drawn)
            print(f"{args.benchmarks.name}/{name}")
        for path, text in fresh.items():
            path.write_text(text, encoding="utf-8")
            print(path.name)
    except (RetrievalError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise FigureMissingError(f"{path.name} cannot be read: {error}. Measure again.") from error


if __name__ == "__main__":
    sys.exit(main())
