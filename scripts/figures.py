"""Make the tables and plots of README.md and of the texts in assets/docs from the measurements.

    .venv/bin/python scripts/figures.py             # or: make figures
    .venv/bin/python scripts/figures.py --check     # changes nothing; exit status 1 if a table is not current

In assets/benchmarks, packages.json is what scripts/benchmark.py --json wrote, judged*.json what scripts/evaluate.py
--json wrote, schemes-packages.json what scripts/compare_schemes.py --json wrote, page.json what scripts/page_latency.py
--json wrote, building.json what scripts/benchmark_build.py --json wrote, milvus.json what scripts/benchmark_milvus.py
--json wrote, and load.json what scripts/load.py --json wrote. A table NAME goes between `<!-- figures: NAME -->` and
`<!-- /figures -->` in a document. Plots become SVG files in the same folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from scripts.report.load_tables import LOAD_TABLES
from scripts.report.markdown import FigureMissingError
from scripts.report.markers import MarkerError, replaced
from scripts.report.plots import plots
from scripts.report.quality_tables import judged, schemes
from scripts.report.sizing_tables import SIZING_TABLES
from scripts.report.speed_tables import milvus, page
from scripts.report.tables import TABLES
from scripts.report.terminal import command, read_figures, run

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "assets" / "benchmarks"
DOCS = ROOT / "assets" / "docs"
TEXTS = (ROOT / "README.md", DOCS / "measurements.md", DOCS / "beyond-one-machine.md", DOCS / "milvus.md")
RUN_FILE = "packages.json"
SCHEMES_FILE = "schemes-packages.json"
PAGE_FILE = "page.json"
BUILDING_FILE = "building.json"
MILVUS_FILE = "milvus.json"
LOAD_FILE = "load.json"
WRITTEN_BY = {
    RUN_FILE: "scripts/benchmark.py",
    "judged*.json": "scripts/evaluate.py",
    SCHEMES_FILE: "scripts/compare_schemes.py",
    PAGE_FILE: "scripts/page_latency.py",
    BUILDING_FILE: "scripts/benchmark_build.py",
    MILVUS_FILE: "scripts/benchmark_milvus.py",
    LOAD_FILE: "scripts/load.py",
}


class Measured:
    """What was measured, by the name of the table that shows it."""

    def __init__(self, folder: Path) -> None:
        """Reads the JSON files of a folder; a missing one is an error only when a table asks for it.

        Raises:
            RetrievalError: if a file is not JSON.
        """
        judged_files = [figures for path in sorted(folder.glob("judged*.json")) if (figures := read_figures(path))]
        run, built = read_figures(folder / RUN_FILE), read_figures(folder / BUILDING_FILE)
        self.load = read_figures(folder / LOAD_FILE) or {}
        self._tables: dict[str, tuple[Callable[[Any], Iterable[str]], Any, str]] = {
            **{name: (table, run, RUN_FILE) for name, table in TABLES.items()},
            "judged": (judged, judged_files, "judged*.json"),
            "schemes": (schemes, read_figures(folder / SCHEMES_FILE), SCHEMES_FILE),
            **{name: (table, built, BUILDING_FILE) for name, table in SIZING_TABLES.items()},
            "milvus": (milvus, read_figures(folder / MILVUS_FILE), MILVUS_FILE),
            **{name: (table, self.load, LOAD_FILE) for name, table in LOAD_TABLES.items()},
            "page": (page, read_figures(folder / PAGE_FILE), PAGE_FILE),
        }

    def table(self, name: str) -> str:
        """Returns the lines of a table.

        Raises:
            MarkerError: if there is no table of that name.
            FigureMissingError: if its figures were not measured.
        """
        if name not in self._tables:
            raise MarkerError(f"there is no table {name!r}; there are {', '.join(self._tables)}")
        table, figures, file = self._tables[name]
        if not figures:
            raise FigureMissingError(f"there is no {file}: {WRITTEN_BY[file]} --json writes it")
        return "\n".join(table(figures))


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--benchmarks", type=Path, default=BENCHMARKS, metavar="DIR", help="where the JSON files are")
    made.add_argument("--text", type=Path, action="append", metavar="FILE", help="a text with markers; may be repeated")
    made.add_argument("--check", action="store_true", help="change nothing; exit status 1 if a table is not current")
    return made


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    measured = Measured(args.benchmarks)
    before = {path: path.read_text(encoding="utf-8") for path in args.text or TEXTS}
    fresh = {path: replaced(text, measured.table) for path, text in before.items()}
    if args.check:
        print("current." if fresh == before else "not current: run make figures.")
        return int(fresh != before)
    for name, drawn in plots(args.benchmarks / RUN_FILE, args.benchmarks, measured.load):
        (args.benchmarks / name).write_text(drawn, encoding="utf-8")
        print(f"{args.benchmarks.name}/{name}")
    for path, text in fresh.items():
        path.write_text(text, encoding="utf-8")
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
