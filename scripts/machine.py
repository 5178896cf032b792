"""What machine a figure was taken on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def about_machine() -> dict[str, str | int]:
    """Returns the processor's name, the cores this process may use, and the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), "no AVX2")
    return {
        "cpu": f"{names[0] if names else platform.processor()} ({vectors})",
        "cores": len(os.sched_getaffinity(0)),
        "os": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
