"""A conversion that went wrong is found out by the embeddings that it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from retrieval.encoding.conversion import check_agreement
from retrieval.quantization import Float32s
from tests.conftest import FakeEncoder


class TestAgreement:
    """What a conversion that went wrong would give: found out, whatever the length of its vectors."""

    class Played:
        def __init__(self, change: Callable[[Float32s], Any] = lambda vectors: vectors) -> None:
            self._encoder = FakeEncoder()
            self._change = change

        def encode(self, texts: Sequence[str]) -> Any:
            return np.asarray(self._change(self._encoder.encode(texts)), np.float32)

        encode_query = encode

    def check(self, change: Callable[[Float32s], Any]) -> None:
        check_agreement(self.Played(change), self.Played(), ["apfel", "birne"])  # type: ignore[arg-type]

    def test_the_same_vectors_agree(self) -> None:
        self.check(lambda vectors: vectors)
        self.check(lambda vectors: vectors * 1.001)

    @pytest.mark.parametrize("factor", [24.0, 1.05, 0.5, -24.0, 0.0, np.nan])
    def test_vectors_of_another_length_do_not(self, factor: float) -> None:
        with pytest.raises(RuntimeError, match="embeddings of length"):
            self.check(lambda vectors: vectors * factor)

    def test_long_vectors_in_another_direction_do_not(self) -> None:
        with pytest.raises(RuntimeError, match="embeddings of length"):
            self.check(lambda vectors: 24 * (vectors + 0.1))

    def test_vectors_in_another_direction_do_not(self) -> None:
        with pytest.raises(RuntimeError, match=r"differ from PyTorch.s, cosine -?0"):
            self.check(lambda vectors: np.roll(vectors, 1, axis=1))
