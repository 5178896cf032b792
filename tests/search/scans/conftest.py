"""Every test of a scan runs twice: with the kernel of ours, and with faiss, which scans where there is no kernel."""

from __future__ import annotations

import pytest

from retrieval.search.scans import kernel

needs_kernel = pytest.mark.skipif(
    not kernel.can_scan(1), reason="no kernel: it was not compiled, or the processor lacks AVX-512"
)


@pytest.fixture(autouse=True, params=[pytest.param("kernel", marks=needs_kernel), "faiss"])
def scanned_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Returns what scans."""
    if request.param == "faiss":
        monkeypatch.setattr(kernel, "can_scan", lambda dim: False)
    return str(request.param)
