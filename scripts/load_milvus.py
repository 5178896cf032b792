"""Load a built index into Milvus, to search it from there.

    .venv/bin/python scripts/load_milvus.py --index assets/indexes/python --uri milvus://127.0.0.1:19530
    .venv/bin/python app.py --index milvus://127.0.0.1:19530/python

An interrupted load continues where it stopped when the command is run again; until it is done, nobody searches the
collection. Credentials come from the environment: MILVUS_TOKEN (`user:password` or an API key), MILVUS_TLS=1 or
MILVUS_CA_FILE (a PEM file) for TLS, MILVUS_TIMEOUT (seconds for one call).
"""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import closing
from pathlib import Path

from retrieval import BuildProgress
from retrieval.errors import counted
from retrieval.indexing.progress_bar import ProgressBars
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.load import Loaded, LoadOptions, load
from retrieval.milvus.marks import INDEX_TYPES
from scripts.bench.processes import peak_rss_bytes
from scripts.report.terminal import command, run


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--uri", required=True, metavar="milvus://HOST:PORT")
    made.add_argument("--collection", metavar="NAME", help="default: that in the URI, or the name of the folder")
    made.add_argument(
        "--scan", choices=tuple(INDEX_TYPES), default="flat", help="flat: exact (BIN_FLAT); ivf: lists (BIN_IVF_FLAT)"
    )
    made.add_argument("--probes", type=int, metavar="N", help="with ivf: lists that a search visits (default: 1 in 8)")
    made.add_argument("--shards", type=int, default=1, metavar="N", help="shards of the collection (default: 1)")
    made.add_argument("--replace", action="store_true", help="drop the collection's content first")
    return made


def summary(loaded: Loaded) -> str:
    """Returns the result, in lines for a terminal."""
    if not loaded.num_written:
        return f"{loaded.address} holds this index already: {counted(loaded.num_rows, 'row')}."
    lines = [
        f"{loaded.address}: {counted(loaded.num_written, 'row')} written in {loaded.seconds:.0f} s; this process took "
        f"at most {peak_rss_bytes() / 1e6:,.0f} MB of RAM."
    ]
    if loaded.num_cut:
        lines.append(f"{counted(loaded.num_cut, 'document')} longer than the 65,536 bytes of a JSON field were cut.")
    return "\n".join(lines)


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    for name in ("probes", "shards"):
        if (value := getattr(args, name)) is not None and value < 1:
            parser().error(f"--{name} is {value}: 1 or more is needed")
    name = re.sub(r"\W", "_", args.index.resolve().name, flags=re.ASCII)[:200]
    address = MilvusAddress.parse(args.uri, args.collection, default=f"_{name}" if name[:1].isdigit() else name)
    options = LoadOptions(args.scan, args.probes, args.shards, args.replace)
    with closing(ProgressBars()) as bars:
        loaded = load(args.index, address, options, lambda *step: bars(BuildProgress(*step)))
    print(summary(loaded))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
