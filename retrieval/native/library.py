"""Loads the compiled functions, if they are there. The only module that calls C of ours.

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
_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


@cache
def library() -> ctypes.CDLL | None:
    """Returns the compiled functions; None if there was no compiler, or they are for another system."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(_NAME + suffix)
        if path.is_file():
            try:
                functions = ctypes.CDLL(str(path))
                functions.read_rows.argtypes = [_INT, _ADDRESS, _SIZE, _SIZE, _ADDRESS]
                functions.sign_dots.argtypes = [_ADDRESS, _ADDRESS, _SIZE, _SIZE, _ADDRESS]
            except (OSError, AttributeError):
                continue
            return functions
    return None


@cache
def fast_scan() -> ctypes.CDLL | None:
    """Returns the functions with those of `fast_scan.c`; None if there are none, or this processor cannot run them."""
    functions = library()
    if functions is None or not functions.fast_scan_is_supported():
        return None
    functions.fast_scan_search.argtypes = [_ADDRESS, _SIZE, _SIZE, _SIZE, _ADDRESS, *[_SIZE] * 4, _ADDRESS, _ADDRESS]
    functions.fast_scan_tables.argtypes = [_ADDRESS, _SIZE, _SIZE, _ADDRESS, _ADDRESS, _ADDRESS]
    functions.fast_scan_tables.restype = None
    functions.fast_scan_codes.argtypes = [_ADDRESS, _SIZE, _SIZE, _ADDRESS, _SIZE, _ADDRESS]
    functions.fast_scan_codes.restype = None
    return functions


def address(array: npt.NDArray[Any]) -> int:
    """Returns where the values of an array start."""
    return int(array.ctypes.data)
