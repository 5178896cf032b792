"""Sign bits and int8: packing, rounding, saturation, and what a dot product with codes must give."""

from __future__ import annotations

import json

import numpy as np
import pytest

from retrieval.quantization import Float32s, Int8Quantizer, binarize, num_code_bytes, unpack_signs


def vectors(count: int, dim: int, seed: int = 0) -> Float32s:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


class TestSignBits:
    def test_first_dimension_is_the_highest_bit_and_zero_is_not_above_zero(self) -> None:
        row = np.array([[0.1, -0.1, 0.0, 5, -1, -1, -1, 1e-30]], dtype=np.float32)
        assert binarize(row).tolist() == [[0b10010001]]

    def test_one_vector_gives_one_row_of_bytes(self) -> None:
        assert binarize(np.ones(16, dtype=np.float32)).tolist() == [255, 255]

    @pytest.mark.parametrize(("dim", "size"), [(1, 1), (7, 1), (8, 1), (9, 2), (384, 48), (385, 49)])
    def test_a_partial_byte_is_a_byte_padded_with_zeros(self, dim: int, size: int) -> None:
        codes = binarize(np.ones((2, dim), dtype=np.float32))
        assert codes.shape == (2, size)
        assert num_code_bytes(dim) == size
        assert int(np.bitwise_count(codes[0]).sum()) == dim

    @pytest.mark.parametrize("dim", [1, 7, 8, 13, 64])
    def test_unpacking_gives_back_the_signs(self, dim: int) -> None:
        values = vectors(20, dim)
        signs = unpack_signs(binarize(values), dim)
        assert signs.dtype == np.float32
        assert np.array_equal(signs, np.where(values > 0, 1.0, -1.0))


class TestInt8:
    def test_codes_of_a_range_simple_enough_to_check_by_hand(self) -> None:
        quantizer = Int8Quantizer.fit([np.array([[0.0], [255.0]], dtype=np.float32)])
        codes = quantizer.encode(np.array([[0], [1], [127.4], [127.6], [255]], dtype=np.float32))
        assert codes.dtype == np.int8
        assert codes.ravel().tolist() == [-128, -127, -1, 0, 127]
        assert quantizer.decode(codes).ravel().tolist() == [0, 1, 127, 128, 255]

    def test_decoding_is_off_by_at_most_half_a_step(self) -> None:
        values = vectors(500, 24)
        quantizer = Int8Quantizer.fit([values])
        error = np.abs(quantizer.decode(quantizer.encode(values)) - values)
        assert (error <= quantizer.step / 2 + 1e-6).all()

    def test_each_dimension_has_its_own_step(self) -> None:
        quantizer = Int8Quantizer.fit([np.array([[0.0, -1.0], [255.0, 1.0]], dtype=np.float32)])
        assert quantizer.step.tolist() == pytest.approx([1.0, 2 / 255])
        assert quantizer.minimum.tolist() == [0.0, -1.0]

    def test_values_out_of_the_fitted_range_saturate_and_do_not_wrap(self) -> None:
        quantizer = Int8Quantizer.fit([np.array([[-1.0], [1.0]], dtype=np.float32)])
        codes = quantizer.encode(np.array([[-1.5], [1.5], [-1e30], [1e30]], dtype=np.float32))
        assert codes.ravel().tolist() == [-128, 127, -128, 127]

    def test_a_constant_dimension_decodes_to_its_constant(self) -> None:
        values = np.array([[0.25, -1.0], [0.25, 1.0]], dtype=np.float32)
        quantizer = Int8Quantizer.fit([values])
        assert quantizer.step[0] == 1.0
        assert quantizer.decode(quantizer.encode(values))[:, 0].tolist() == [0.25, 0.25]

    def test_fitting_in_batches_gives_the_same_ranges_as_at_once(self) -> None:
        values = vectors(100, 8)
        in_batches = Int8Quantizer.fit([values[:1], values[1:1], values[1:40], values[40:]])
        at_once = Int8Quantizer.fit([values])
        assert in_batches.to_json() == at_once.to_json()

    def test_fitting_on_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no vectors"):
            Int8Quantizer.fit([np.empty((0, 4), dtype=np.float32)])

    @pytest.mark.parametrize("dim", [1, 7, 384])
    def test_folded_query_gives_the_dot_product_with_decoded_codes(self, dim: int) -> None:
        values, query = vectors(50, dim), vectors(1, dim, seed=1)[0]
        quantizer = Int8Quantizer.fit([values])
        codes = quantizer.encode(values)
        scaled, constant = quantizer.fold(query)
        expected = quantizer.decode(codes).astype(np.float64) @ query
        assert codes.astype(np.float32) @ scaled + constant == pytest.approx(expected, abs=1e-4)

    def test_raw_codes_would_order_otherwise(self) -> None:
        """The bug of huggingface/sentence-transformers#4058: a wide dimension counts as much as a narrow one."""
        values = np.array([[10.0, 0.0], [0.0, 0.1]], dtype=np.float32)
        query = np.array([0.1, 1.0], dtype=np.float32)
        quantizer = Int8Quantizer.fit([values])
        codes = quantizer.encode(values).astype(np.float32)
        scaled, _ = quantizer.fold(query)
        assert (codes @ query).argmax() != (values @ query).argmax()
        assert (codes @ scaled).argmax() == (values @ query).argmax()


class TestInt8AsJson:
    def test_float32_survives_the_round_trip_exactly(self) -> None:
        quantizer = Int8Quantizer.fit([vectors(10, 16)])
        restored = Int8Quantizer.from_json(json.loads(json.dumps(quantizer.to_json())))
        assert np.array_equal(restored.minimum, quantizer.minimum)
        assert np.array_equal(restored.step, quantizer.step)

    @pytest.mark.parametrize(
        "values",
        [
            {"minimum": [0.0, 1.0], "step": [1.0]},
            {"minimum": [[0.0]], "step": [[1.0]]},
            {"minimum": [float("nan")], "step": [1.0]},
            {"minimum": [0.0], "step": [float("inf")]},
            {"minimum": [0.0], "step": [0.0]},
            {"minimum": ["a"], "step": [1.0]},
        ],
    )
    def test_impossible_parameters_are_refused(self, values: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"."):
            Int8Quantizer.from_json(values)

    def test_a_missing_parameter_is_refused(self) -> None:
        with pytest.raises(KeyError, match="step"):
            Int8Quantizer.from_json({"minimum": [0.0]})
