"""What the manifest of an index may say, and what is refused of it."""

from __future__ import annotations

import contextlib
import json

import pytest

from retrieval import BundleCorruptError, BundleError, BundleIncompatibleError
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import INT8_FILE, Manifest
from tests.conftest import Build
from tests.support import change_manifest


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(["red apple", "green pear", "blue plum"], lists=2)


class TestManifest:
    def test_a_manifest_survives_the_round_trip(self, bundle: Bundle) -> None:
        assert Manifest.from_json(bundle.manifest.to_json()) == bundle.manifest

    def test_unknown_values_of_a_later_release_are_passed_over(self, bundle: Bundle) -> None:
        change_manifest(bundle, lambda values: values.update(later="thing"))
        assert Bundle.open(bundle.path).manifest == bundle.manifest

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"null", b"[]", b"3", b'"text"', b"\xff\xfe\x00", b"[" * 200_000, b"9" * 5000, b"{}" * 2],
        ids=["empty", "cut", "null", "list", "number", "text", "not utf-8", "deep", "long number", "twice"],
    )
    def test_an_invalid_manifest_is_refused(self, bundle: Bundle, content: bytes) -> None:
        (bundle.path / "manifest.json").write_bytes(content)
        with pytest.raises(BundleError, match=r"manifest\.json.*Build the index again|format version"):
            Bundle.open(bundle.path)

    def test_a_huge_manifest_is_not_read(self, bundle: Bundle) -> None:
        with (bundle.path / "manifest.json").open("wb") as file:
            file.truncate(10**12)
        with pytest.raises(BundleCorruptError, match="1,000,000,000,000 bytes, at most"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("version", [0, 2, "1", None, 10**30])
    def test_another_format_version_is_named_with_the_one_expected(self, bundle: Bundle, version: object) -> None:
        change_manifest(bundle, lambda values: values.update(format_version=version))
        with pytest.raises(BundleIncompatibleError, match=rf"format version {version!r}, this program reads 1: build"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize(
        "key", ["corpus", "row_count", "dim", "int8", "search", "files", "model_id", "weights_sha256", "versions"]
    )
    def test_a_missing_key_is_named(self, bundle: Bundle, key: str) -> None:
        change_manifest(bundle, lambda values: values.pop(key))
        with pytest.raises(BundleCorruptError, match=f"lacks {key}"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("key", ["row_count", "distinct_text_count", "dim"])
    @pytest.mark.parametrize("value", [0, -1, 1.5, "3", None, True, [1]])
    def test_a_count_that_is_not_a_whole_number_is_refused(self, bundle: Bundle, key: str, value: object) -> None:
        change_manifest(bundle, lambda values: values.update({key: value}))
        with pytest.raises(BundleCorruptError, match=f"{key} is "):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("key", ["corpus", "int8", "search", "files"])
    @pytest.mark.parametrize("value", [None, 3, "text", [], {}])
    def test_a_part_of_another_shape_is_refused(self, bundle: Bundle, key: str, value: object) -> None:
        change_manifest(bundle, lambda values: values.update({key: value}))
        with pytest.raises(BundleCorruptError, match=r"cannot read .*manifest\.json: .*Build the index again"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("record", [None, {}, {"size_bytes": "3", "sha256": "a"}, {"size_bytes": 3, "sha256": 4}])
    def test_a_file_record_of_another_shape_is_refused(self, bundle: Bundle, record: object) -> None:
        change_manifest(bundle, lambda values: values["files"].update({INT8_FILE: record}))
        with pytest.raises(BundleCorruptError, match=r"cannot read .*manifest\.json"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("name", ["num_candidates", "rescore_multiplier"])
    def test_search_settings_that_no_search_can_use_are_refused(self, bundle: Bundle, name: str) -> None:
        change_manifest(bundle, lambda values: values["search"].update({name: 0}))
        with pytest.raises(BundleCorruptError, match=f"{name} is 0"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("name", ["/dev/zero", "../outside", "documents/../../outside", "", "manifest.json"])
    def test_names_that_lead_elsewhere_are_refused(self, bundle: Bundle, name: str) -> None:
        (bundle.path.parent / "outside").write_bytes(b"abc")
        change_manifest(bundle, lambda values: values["files"].update({name: {"size_bytes": 3, "sha256": "a" * 64}}))
        with pytest.raises(BundleCorruptError, match="is not a file of an index"):
            Bundle.open(bundle.path)

    def test_a_required_file_that_is_not_listed_is_named(self, bundle: Bundle) -> None:
        change_manifest(bundle, lambda values: values["files"].pop(INT8_FILE))
        with pytest.raises(BundleCorruptError, match=f"does not list {INT8_FILE}"):
            Bundle.open(bundle.path)

    def test_int8_parameters_of_another_dimension_are_refused(self, bundle: Bundle) -> None:
        change_manifest(bundle, lambda values: values["int8"].update(minimum=[0.0], step=[1.0]))
        with pytest.raises(BundleCorruptError, match="int8 parameters are for 1 dimensions, dim is 64"):
            Bundle.open(bundle.path)

    def test_a_name_that_is_not_utf8_is_kept(self, bundle: Bundle) -> None:
        """A path on Linux is bytes: Python hands those that are no UTF-8 on as lone surrogates."""
        change_manifest(bundle, lambda values: values["corpus"].update(title="caf\udce9"))
        manifest = Bundle.open(bundle.path).manifest
        assert manifest.corpus.title == "caf\udce9"
        assert Manifest.from_json(manifest.to_json().encode("utf-8").decode()) == manifest


class TestChecksum:
    def test_every_altered_byte_is_refused_or_leaves_the_values_as_they_are(self, bundle: Bundle) -> None:
        path = bundle.path / "manifest.json"
        content = path.read_bytes()
        for position in range(len(content)):
            altered = bytearray(content)
            altered[position] ^= 1 << position % 8
            path.write_bytes(altered)
            with contextlib.suppress(BundleCorruptError, BundleIncompatibleError):
                assert Manifest.read(bundle.path) == bundle.manifest, position

    def test_a_manifest_without_one_opens_as_in_release_0_1(self, bundle: Bundle) -> None:
        path = bundle.path / "manifest.json"
        values = json.loads(path.read_text())
        del values["checksum"]
        path.write_text(json.dumps(values))
        assert Bundle.open(bundle.path).manifest == bundle.manifest

    @pytest.mark.parametrize("checksum", ["0" * 64, "", None, 3, [], 10**400])
    def test_another_one_is_refused(self, bundle: Bundle, checksum: object) -> None:
        path = bundle.path / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "checksum": checksum}))
        with pytest.raises(BundleCorruptError, match=r"altered.*checksum.*Build the index again"):
            Bundle.open(bundle.path)

    def test_spaces_and_the_order_of_keys_do_not_count(self, bundle: Bundle) -> None:
        path = bundle.path / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True, separators=(",", ":")))
        assert Bundle.open(bundle.path).manifest == bundle.manifest


class TestValues:
    """With a checksum that fits: a forger gets no further than a damaged disk."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("distinct_text_count", 10**18), ("distinct_text_count", 4), ("row_count", 2**31), ("group_count", 0),
            ("group_count", 4), ("group_count", "2"), ("group_count", 10**4000), ("dropped_rows", -1),
            ("dropped_rows", None), ("dim", 10**9), ("built_at", None), ("built_at", "yesterday"), ("built_at", 3),
            ("build_seconds", None), ("build_seconds", -1), ("build_seconds", float("nan")), ("build_seconds", 10**400),
            ("versions", None), ("versions", []), ("versions", {"python": 3}), ("columns", {"text": None}),
            ("model_id", None), ("model_id", "x" * 30_000), ("weights_sha256", 3),
        ],
    )  # fmt: skip
    def test_one_that_no_build_writes_is_refused(self, bundle: Bundle, name: str, value: object) -> None:
        change_manifest(bundle, lambda values: values.update({name: value}))
        with pytest.raises(BundleCorruptError, match=rf"{name}.* needed\. Build the index again"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize(
        ("part", "name", "value"),
        [
            ("corpus", "title", None), ("corpus", "name", 3), ("corpus", "attribution", 3),
            ("corpus", "examples", "ab"), ("corpus", "examples", [3]), ("int8", "minimum", ["1"] * 64),
            ("int8", "step", [True] * 64), ("int8", "step", [10**400] * 64), ("int8", "minimum", [[0.0]] * 64),
            ("int8", "step", None), ("search", "num_candidates", 10**18), ("search", "rescore_multiplier", True),
        ],
    )  # fmt: skip
    def test_one_within_a_part_is_refused(self, bundle: Bundle, part: str, name: str, value: object) -> None:
        change_manifest(bundle, lambda values: values[part].update({name: value}))
        with pytest.raises(BundleCorruptError, match=r"needed\. Build the index again"):
            Bundle.open(bundle.path)
