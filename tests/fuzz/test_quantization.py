"""Bits and int8 codes hold what they promise, for arrays of any shape and values."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from retrieval.quantization import Float32s, Int8Quantizer, SignQuantizer, binarize, num_code_bytes, unpack_signs
from tests.fuzz.cases import cases, counted

_shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20)
_numbers = st.floats(-100, 100, width=32)
vectors = hnp.arrays(np.float32, _shapes, elements=_numbers)
strange = hnp.arrays(np.float32, _shapes, elements=st.floats(width=32))


@cases(30)
@given(strange)
@counted
def test_a_bit_says_whether_its_value_is_above_0(values: Float32s) -> None:
    dim = values.shape[1]
    codes = binarize(values)
    assert codes.dtype == np.uint8
    assert codes.shape == (len(values), num_code_bytes(dim))
    np.testing.assert_array_equal(unpack_signs(codes, dim) > 0, values > 0)
    np.testing.assert_array_equal(SignQuantizer().encode(values), codes)


@cases(30)
@given(vectors)
@counted
def test_bits_around_the_mean_survive_the_manifest(values: Float32s) -> None:
    signs = SignQuantizer.fit([values])
    again = SignQuantizer.from_json(json.loads(json.dumps(signs.to_json())), values.shape[1])
    np.testing.assert_array_equal(again.encode(values), signs.encode(values))
    assert signs.center is not None
    np.testing.assert_array_equal(unpack_signs(signs.encode(values), values.shape[1]) > 0, values > signs.center)


@cases(30)
@given(vectors)
@counted
def test_a_decoded_value_is_off_by_at_most_half_a_step(values: Float32s) -> None:
    quantizer = Int8Quantizer.fit([values])
    decoded = quantizer.decode(quantizer.encode(values))
    rounding = 1e-5 * (np.abs(values).max() + 1)
    assert (np.abs(decoded - values) <= quantizer.step / 2 + rounding).all()
    again = Int8Quantizer.from_json(json.loads(json.dumps(quantizer.to_json())))
    np.testing.assert_array_equal(again.encode(values), quantizer.encode(values))


@cases(30)
@given(vectors, st.floats(1, 1e6, width=32))
@counted
def test_values_outside_the_range_saturate(values: Float32s, beyond: float) -> None:
    quantizer = Int8Quantizer.fit([values])
    highest, lowest = values.max(axis=0), values.min(axis=0)
    far = np.float32(beyond) * 256 * quantizer.step
    assert (quantizer.encode((highest + far)[None]) == 127).all()
    assert (quantizer.encode((lowest - far)[None]) == -128).all()


@cases(30)
@given(vectors)
@counted
def test_a_folded_query_scores_codes_as_what_they_stand_for(values: Float32s) -> None:
    quantizer = Int8Quantizer.fit([values])
    codes = quantizer.encode(values)
    query = values[0]
    scaled, constant = quantizer.fold(query)
    scores = codes.astype(np.float32) @ scaled + constant
    size = np.abs(query).sum() * (np.abs(values).max() + 1) + 1
    np.testing.assert_allclose(scores, quantizer.decode(codes) @ query, atol=1e-4 * size)


@cases(20)
@given(st.lists(vectors, max_size=4))
@counted
def test_ranges_do_not_depend_on_how_the_rows_are_split(parts: list[Float32s]) -> None:
    parts = [part[:, :1] for part in parts]
    if not parts:
        return
    whole = Int8Quantizer.fit([np.concatenate(parts)])
    split = Int8Quantizer.fit(parts)
    np.testing.assert_array_equal(whole.minimum, split.minimum)
    np.testing.assert_array_equal(whole.step, split.step)
