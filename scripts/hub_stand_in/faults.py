"""What goes wrong between a client and the hub: who may not read or write, and answers that stall, break off or change.

hub.faults.append(Fault("int8.usearch", "cut", after_bytes=1000, times=1))
hub.access.private["someone/notes"] = "hf_token"
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from scripts.hub_stand_in.folders import HubRefusal

Kind = Literal["stall", "cut", "alter", "busy"]


@dataclass(slots=True)
class Fault:
    """What happens to answers whose path contains `path`."""

    path: str
    kind: Kind
    """`stall`: nothing more is sent. `cut`: the connection is closed. `alter`: one bit differs. `busy`: status 503."""
    after_bytes: int = 0
    """So much of the file is sent as it is; 0 with `stall` holds the head of the answer back, too."""
    times: int | None = None
    """How many answers it happens to; None for all of them."""

    def strikes(self, path: str) -> bool:
        """Returns whether it happens to this answer, and counts it."""
        if self.path not in path or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Access:
    """Who may read and write what."""

    private: dict[str, str] = field(default_factory=dict)
    """The token that may read each private repository."""
    gated: dict[str, str] = field(default_factory=dict)
    """The token that was given access to each gated repository."""
    write_token: str | None = None
    """The token that may write; None lets everyone."""

    def check_read(self, repo_id: str, authorization: str | None) -> None:
        """Checks that the sender of a request may read a repository.

        Raises:
            HubRefusal: if not, in the hub's own words: it does not tell a private repository from none at all.
        """
        token = (authorization or "").removeprefix("Bearer ")
        if repo_id in self.private and token != self.private[repo_id]:
            if not token:
                raise HubRefusal("RepoNotFound", "Invalid username or password.", status=401)
            raise HubRefusal("", "Invalid credentials in Authorization header", status=401)
        if repo_id in self.gated and token != self.gated[repo_id]:
            raise HubRefusal("GatedRepo", f"Access to dataset {repo_id} is restricted.", status=403 if token else 401)

    def check_write(self, authorization: str | None) -> None:
        """Checks that the sender of a request may write.

        Raises:
            HubRefusal: if not.
        """
        if self.write_token is None:
            return
        token = (authorization or "").removeprefix("Bearer ")
        if not token:
            raise HubRefusal("", "Invalid username or password.", status=401)
        if token != self.write_token:
            raise HubRefusal("", "You don't have the rights to create a dataset under this namespace", status=403)
