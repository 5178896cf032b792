"""When, and on what machine, a figure was taken."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

from retrieval.system import usable_cores

_TELLING_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_vpopcntdq", "avx_vnni", "amx_int8", "asimd", "sve")
"""The CPU flags by which the kernels are chosen."""


def when_and_where() -> dict[str, Any]:
    """Returns `taken_at`, the time in UTC, and `machine`, what `about_machine` says: as figures are kept."""
    return {"taken_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": about_machine()}


def about_machine() -> dict[str, Any]:
    """Returns the processor's name and relevant flags, the cores this process may use, RAM in bytes, and the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith(("flags", "Features"))), [])
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), "no AVX2")
    return {
        "cpu": f"{names[0] if names else platform.processor()} ({vectors})",
        "flags": [flag for flag in _TELLING_FLAGS if flag in flags],
        "cores": usable_cores(),
        "ram_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "os": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "kernel": platform.release(),
    }
