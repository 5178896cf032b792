"""Addresses of published indexes: hf://datasets/owner/name, or with @revision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from retrieval.errors import HubError

PREFIX = "hf://"
_DATASETS = "hf://datasets/"
_SHAPE = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*?)(?:@(?P<revision>[^@\s]+))?/?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
DEFAULT_REVISION = "main"


def is_hub_address(text: object) -> bool:
    """Returns whether this is meant to be an address on the hub, rather than a folder."""
    return str(text).startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A data set repository on the hub, perhaps at a revision."""

    repo_id: str
    """Such as `owner/name`."""
    revision: str | None = None
    """A branch, a tag or a commit; None for what `main` is at the first fetch."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns the address in `hf://datasets/owner/name[@revision]`, or in the part after `datasets/`.

        Raises:
            HubError: if it is none.
        """
        match = _SHAPE.fullmatch(text.strip().removeprefix(_DATASETS))
        if match is None:
            raise HubError(
                f"{text!r} is not the address of a published index: hf://datasets/owner/name is expected, or "
                f"hf://datasets/owner/name@revision."
            )
        return cls(match["repo"], match["revision"])

    def __str__(self) -> str:
        return f"{_DATASETS}{self.repo_id}" + (f"@{self.revision}" if self.revision else "")

    @property
    def name(self) -> str:
        """Returns the name of the repository, without its owner."""
        return self.repo_id.partition("/")[2]

    @property
    def commit(self) -> str | None:
        """Returns the revision if it is a full commit hash, which never changes."""
        return self.revision if self.revision and _COMMIT.fullmatch(self.revision) else None
