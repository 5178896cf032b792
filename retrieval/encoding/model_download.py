"""A model from the hub, file by file, with a time limit for every answer.

The client's `snapshot_download` waits for the list of files without any limit, and so does the Xet protocol for their
content: the functions below it are used, which take limits. Only safetensors and configuration are downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from retrieval.encoding.model_cache import cache_folder, locked
from retrieval.encoding.model_kind import MODULE_LISTS, module_names
from retrieval.errors import ModelError

_ANSWER_LIMIT_S = 10.0
"""For the list of files. In a file, each silence has HF_HUB_DOWNLOAD_TIMEOUT seconds, and five more tries."""
_NEWEST = "newest"
"""The file that names the commit that was downloaded last."""
_USUAL_OWNER = "sentence-transformers"
"""The owner of a model without one in its name, as in the library of the same name."""


def downloaded_model(model: str, patterns: Sequence[str]) -> tuple[Path, str]:
    """Returns the folder of a hub model and its full name, downloaded unless it is already here.

    Args:
        model: `owner/name`, or just a name: a model of sentence-transformers, or else one without an owner.
        patterns: the names of the files to download, in the model's folder and in those of its modules.

    Raises:
        ModelError: if it cannot be downloaded.
    """
    names = [model] if "/" in model else [f"{_USUAL_OWNER}/{model}", model]
    for name in names[:-1]:
        try:
            return _download(name, patterns), name
        except _NoSuchModelError:
            continue
    return _download(names[-1], patterns), names[-1]


class _NoSuchModelError(ModelError):
    """The hub has no model of this name."""


def _download(model: str, patterns: Sequence[str]) -> Path:
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
    )

    home = cache_folder() / "models" / model.replace("/", "--")

    try:
        try:
            info = HfApi().model_info(model, timeout=_ANSWER_LIMIT_S, files_metadata=True)
        except (httpx2.HTTPError, HfHubHTTPError, OfflineModeIsEnabled) as error:
            if (here := _downloaded_before(home, model)) is not None:
                return here
            raise error
        sizes = {each.rfilename: each.size for each in info.siblings or ()}
        if info.sha is None or not sizes:
            raise ModelError(f"the model {model!r} has no files on the hub. Choose another.")
        if not any(name.endswith(".safetensors") for name in sizes):
            pickles = [name for name in sizes if name.endswith("pytorch_model.bin")]
            only = f" but {pickles[0]}, a pickle, which can run code when it is loaded" if pickles else ""
            raise ModelError(f"the model {model!r} has no safetensors on the hub{only}. Choose another.")
        folder = home / info.sha
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            _fill(folder, model, info.sha, sizes, patterns)
            (home / _NEWEST).write_text(info.sha)
        return folder
    except HFValidationError as error:
        raise ModelError(f"{model!r} is neither a folder here nor a valid model id on the hub.") from error
    except (RepositoryNotFoundError, RemoteEntryNotFoundError) as error:
        raise _NoSuchModelError(_cannot(model, "the hub has no such model, or it is private")) from error
    except (httpx2.TimeoutException, TimeoutError) as error:
        raise ModelError(_cannot(model, "the hub did not answer in time")) from error
    except (httpx2.HTTPError, HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(_cannot(model, type(error).__name__)) from error


def _downloaded_before(home: Path, model: str) -> Path | None:
    """Returns the folder of the last download, by this program or the hub's own client; None if there is none."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return home / (home / _NEWEST).read_text()
    except OSError:
        pass
    try:
        return Path(snapshot_download(model, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _cannot(model: str, reason: str) -> str:
    return (
        f"the model {model!r} is not a folder here and cannot be downloaded ({reason}). "
        f"Check the name and the network, or give the path of a folder."
    )


def _fill(folder: Path, model: str, commit: str, sizes: dict[str, int | None], patterns: Sequence[str]) -> None:
    """Downloads what `folder` lacks of the files of a model, the list of its modules first."""
    for name in MODULE_LISTS:
        if name in sizes:
            _get(folder, model, commit, name, sizes[name])
    inner = module_names(folder)
    for name, size in sizes.items():
        path = PurePosixPath(name)
        is_inside = not path.is_absolute() and ".." not in path.parts
        is_meant = len(path.parts) == 1 or path.parts[0] in inner
        if is_inside and is_meant and any(fnmatch(path.name, pattern) for pattern in patterns):
            _get(folder, model, commit, name, size)


def _get(folder: Path, model: str, commit: str, name: str, size: int | None) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get

    # Public according to the client's documentation, though not its types.
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    target = folder / name
    if target.exists():
        return
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    there = part.stat().st_size if part.exists() else 0
    if size is None or there > size:
        part.unlink(missing_ok=True)
        there = 0
    with part.open("ab") as file:
        url = hf_hub_url(model, name, revision=commit)
        http_get(url, file, resume_size=there, headers=build_hf_headers(), expected_size=size)
    part.replace(target)
