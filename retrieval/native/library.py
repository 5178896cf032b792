"""Loads the compiled functions, if they are there.

They are plain functions without Python's headers, called by ctypes, which does not hold the interpreter lock meanwhile.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy.typing as npt

_NAME = "_native"
"""The extension in `pyproject.toml`."""
_VERSION = 1
"""As in `version.c`: a library that was compiled from other sources is not called."""
_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_ARGUMENTS = {
    "read_rows": (_INT, _ADDRESS, _SIZE, _SIZE, _ADDRESS),
    "sign_dots": (_ADDRESS, _ADDRESS, _SIZE, _SIZE, _ADDRESS),
    "fast_scan_is_supported": (),
    "fast_scan_tables": (_ADDRESS, _SIZE, _SIZE, _ADDRESS, _ADDRESS, _ADDRESS),
    "fast_scan_search": (_ADDRESS, _SIZE, _SIZE, _SIZE, _ADDRESS, *[_SIZE] * 4, _ADDRESS, _ADDRESS),
    "fast_scan_codes": (_ADDRESS, _SIZE, _SIZE, _ADDRESS, _SIZE, _ADDRESS),
}


@cache
def library() -> ctypes.CDLL | None:
    """Returns the compiled functions; None if there was no compiler, or they are of another system or version."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(_NAME + suffix)
        if path.is_file():
            try:
                functions = ctypes.CDLL(str(path))
                if functions.native_version() != _VERSION:
                    continue
                for name, arguments in _ARGUMENTS.items():
                    getattr(functions, name).argtypes = arguments
            except (OSError, AttributeError):
                continue
            return functions
    return None


def address(array: npt.NDArray[Any]) -> int:
    """Returns where the values of an array start."""
    return int(array.ctypes.data)
