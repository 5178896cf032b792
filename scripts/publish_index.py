"""Publish a built index as a data set repository on the Hugging Face hub, with a card made from its manifest.

    HF_TOKEN=... .venv/bin/python scripts/publish_index.py --index assets/indexes/conala --repo owner/name
    .venv/bin/python app.py --index hf://datasets/owner/name

Every file is checked before it is sent. The token needs the right to write; `hf auth login` keeps one, too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval.hub import PublishOptions, publish_bundle
from scripts.report.terminal import command, run


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--repo", required=True, metavar="OWNER/NAME", help="created if missing")
    made.add_argument("--private", action="store_true", help="make the new repository private")
    made.add_argument("--branch", "--revision", default="main", help="branch to publish on; created if missing")
    made.add_argument("--no-baseline", action="store_true", help="leave out embeddings.npy, the float32 baseline")
    return made


@command("stopped: nothing was published. The next try does not send the same files again.")
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    options = PublishOptions(args.private, args.branch, not args.no_baseline)
    published = publish_bundle(args.index, args.repo, options)
    print(f"{published.address}: {published.size_bytes / 1e6:,.1f} MB on branch {published.branch}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
