"""Inject real faults, and print the outcomes as a table.

    .venv/bin/python scripts/faults.py                          all of them: some minutes
    .venv/bin/python scripts/faults.py --only damage running    some kinds
    .venv/bin/python scripts/faults.py --json faults.json       and keep the counts; those of other kinds in it stay
    .venv/bin/python scripts/faults.py --text SECURITY.md       and put the table between its markers

Exit status 0 when every fault was survived: nothing lost, nothing dead, no wrong answer; 1 when one was not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.injected import builds, conversions, damage, downloads, fuzzing, limits, running, starts, visitors
from scripts.injected.parts import Fault
from scripts.report.markers import replaced
from scripts.report.terminal import command, read_figures, run, write_figures

KINDS: Mapping[str, Callable[[], list[Fault]]] = {
    "damage": damage.run,
    "running": running.run,
    "builds": builds.run,
    "limits": limits.run,
    "conversions": conversions.run,
    "downloads": downloads.run,
    "visitors": visitors.run,
    "starts": starts.run,
    "fuzzing": fuzzing.run,
}


def table(faults: Sequence[Fault]) -> str:
    """Returns the faults as a table in Markdown."""
    return "\n".join(["| fault | cases | outcome |", "|---|--:|---|", *map(str, faults)])


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS), help="kinds of faults")
    made.add_argument("--json", type=Path, metavar="FILE", help="a file for the counts, by kind")
    made.add_argument("--text", type=Path, metavar="FILE", help="a text with markers for the table")
    args = made.parse_args(arguments)
    found = kept(args.json) if args.json is not None else {}
    for kind in args.only:
        print(f"injecting {kind} ...", file=sys.stderr)
        found[kind] = KINDS[kind]()
        if args.json is not None:
            counts = {kind: {fault.name: fault.outcomes for fault in faults} for kind, faults in found.items()}
            write_figures(args.json, counts)
    faults = in_order(found)
    print(table(faults))
    lost = [fault for fault in faults if not fault.is_survived]
    for fault in lost:
        print(f"error: not survived: {fault.name}", file=sys.stderr)
    if args.text is not None and not lost:
        text = args.text.read_text(encoding="utf-8")
        args.text.write_text(replaced(text, lambda name: table(faults)), encoding="utf-8")
    return 1 if lost else 0


def in_order(found: Mapping[str, Sequence[Fault]]) -> list[Fault]:
    """Returns the faults of all kinds, in the order of `KINDS`."""
    return [fault for kind in KINDS for fault in found.get(kind, ())]


def kept(path: Path) -> dict[str, list[Fault]]:
    """Returns what came of the faults by the counts in a file, by kind; nothing where there is no file.

    Raises:
        RetrievalError: if it cannot be read, or is no JSON.
    """
    counts = read_figures(path) or {}
    return {kind: [Fault(name, Counter(outcomes)) for name, outcomes in each.items()] for kind, each in counts.items()}


if __name__ == "__main__":
    sys.exit(run(main))
