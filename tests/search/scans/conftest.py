"""Every test of a scan runs twice: with the kernel of ours, and with faiss, which scans where there is no kernel."""

from __future__ import annotations

import pytest

from retrieval.search.scans import fast_scan

needs_kernel = pytest.mark.skipif(
    not fast_scan.is_available(), reason="no kernel: it was not compiled, or the processor lacks AVX-512"
)


@pytest.fixture(autouse=True, params=[pytest.param("kernel", marks=needs_kernel), "faiss"])
def scanned_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Returns what scans."""
    if request.param == "faiss":
        monkeypatch.setattr(fast_scan, "is_available", lambda: False)
    return str(request.param)
