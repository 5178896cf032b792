"""The tokens that an encoder shows are those that it reads, the cut ones behind them."""

from __future__ import annotations

import pytest

from retrieval.encoding.encoder import Encoder, ShowsTokens, load_encoder

pytestmark = pytest.mark.model
LONG = "tokenization of naïve words " * 60


@pytest.fixture(scope="module", params=["openvino", "torch"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return load_encoder(backend=request.param)


def test_a_word_the_model_does_not_know_is_put_together(encoder: Encoder) -> None:
    assert isinstance(encoder, ShowsTokens)
    assert encoder.tokens("Tokenization") == ["[CLS]", "token", "##ization", "[SEP]"]


def test_tokens_that_are_cut_follow_those_that_are_read(encoder: Encoder) -> None:
    assert isinstance(encoder, ShowsTokens)
    tokens = encoder.tokens(LONG)
    num_read = len(tokens) - encoder.num_tokens_cut(LONG)
    assert num_read == 256
    assert (tokens[0], tokens[num_read - 1]) == ("[CLS]", "[SEP]")
    words = [token for token in tokens if token not in ("[CLS]", "[SEP]")]
    assert words == ["token", "##ization", "of", "naive", "words"] * 60
