"""The compiled functions: there after the installation, and done without where they are not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from retrieval.native import library as native


@pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("cc"), reason="without a compiler, nothing was compiled"
)
def test_the_installation_has_compiled_them() -> None:
    assert native.library() is not None


@pytest.mark.parametrize("content", [None, b"", b"of another system", b"\x7fELF" + bytes(100)])
def test_a_library_that_cannot_be_loaded_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / f"_native{EXTENSION_SUFFIXES[0]}").write_bytes(content)
    monkeypatch.setattr(native, "__file__", str(tmp_path / "library.py"))
    assert native.library.__wrapped__() is None


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no compiler")
@pytest.mark.parametrize(
    "source", ["int native_version(void) { return 0; }", "int native_version(void) { return 1; }", ""]
)
def test_a_library_of_other_sources_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    (tmp_path / "other.c").write_text(source)
    compiled = tmp_path / f"_native{EXTENSION_SUFFIXES[0]}"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", compiled, tmp_path / "other.c"], check=True)
    monkeypatch.setattr(native, "__file__", str(tmp_path / "library.py"))
    assert native.library.__wrapped__() is None
