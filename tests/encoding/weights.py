"""Small files of weights, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_weights(path: Path, value: float = 1.0) -> bytes:
    """Writes a small safetensors file, and returns its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"weight": np.full((4, 8), value, np.float32)}, path)
    return path.read_bytes()
