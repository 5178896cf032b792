"""Messages for failures between here and the hub: what failed, and what to do next."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retrieval.errors import HubError, first_line
from retrieval.hub.address import HubAddress

if TYPE_CHECKING:
    from huggingface_hub.errors import RemoteEntryNotFoundError

_SET_TOKEN = "set HF_TOKEN to a token that may {do} it (https://huggingface.co/settings/tokens)"


@contextmanager
def hub_failures(address: HubAddress, do: str, endpoint: str | None = None) -> Iterator[None]:
    """Turns what the client raises into a `HubError`; `do` is `read` or `write`.

    Raises:
        HubError: for anything that the hub, the network or the disk does not allow.
    """
    import httpx2

    try:
        yield
    # Bad ids and malformed answers come as ValueError or LookupError, failed threads of an upload as RuntimeError.
    except (httpx2.HTTPError, OSError, ValueError, LookupError, RuntimeError) as error:
        verb = "fetched" if do == "read" else "published"
        raise HubError(f"{address} cannot be {verb}: {_explained(error, do, endpoint)}.") from error


def _explained(error: BaseException, do: str, endpoint: str | None) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    for each in _chain(error):
        if isinstance(each, HfHubHTTPError):
            return _refusal(each, do)
        if (reason := _no_answer(each, endpoint or constants.ENDPOINT)) is not None:
            return reason
    reasons = [first_line(each) for each in _chain(error)]
    return ": ".join(dict.fromkeys((reasons[0], reasons[-1])))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields the error and its causes: the client wraps some in others."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _refusal(error: BaseException, do: str) -> str:
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        HfHubHTTPError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    token = _SET_TOKEN.format(do=do)
    if isinstance(error, GatedRepoError):
        return f"access must be requested on its page on the hub; when it is granted, {token}"
    if isinstance(error, RepositoryNotFoundError):
        return f"there is no such data set repository, or it is private: check the name, or {token}"
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such revision: leave @revision out, or name one of its branches, tags or commits"
    if isinstance(error, RemoteEntryNotFoundError):
        return (
            f"the repository has no {_file_of(error)}, so it holds no index that scripts/publish_index.py published: "
            f"check the name and the revision"
        )
    if isinstance(error, DisabledRepoError):
        return "the hub has disabled this repository: choose another"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    if status in (401, 403):
        return f"the hub refused the token (HTTP status {status}): {token}"
    if status == 429:
        return "the hub has received too many requests from here (HTTP status 429): wait a few minutes and try again"
    if status >= 500:
        return f"the hub has a problem (HTTP status {status}): try again later"
    return f"the hub answered with HTTP status {status}: {first_line(error)}"


def _no_answer(error: BaseException, endpoint: str) -> str | None:
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, and it was not fetched before: unset it once"
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return f"the hub at {endpoint} stopped answering: try again; what has arrived is kept"
    if isinstance(error, httpx2.ConnectError):
        return f"the hub cannot be reached at {endpoint} ({first_line(error)}): check the network"
    if isinstance(error, httpx2.TransportError):
        return f"the connection to the hub broke off ({first_line(error)}): try again; what has arrived is kept"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space and try again; what has arrived is kept"
    return None


def _file_of(error: RemoteEntryNotFoundError) -> str:
    return str(error.response.url).partition("/resolve/")[2].partition("/")[2] or "such file"
