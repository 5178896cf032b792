"""The note on the settings says where they come from, and nothing that the manifest does not tell."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from retrieval.bundle.bundle import Manifest
from retrieval.ui.defaults_note import defaults_note
from tests.benchmark_json import TUNED
from tests.conftest import Build


@pytest.fixture
def manifest(build: Build) -> Manifest:
    return build(["red apple", "green pear"]).manifest


def note(manifest: Manifest, search: Mapping[str, Any]) -> str:
    return defaults_note(replace(manifest, search=search))


def test_measured_settings_are_told_with_their_sample_and_target(manifest: Manifest) -> None:
    told = note(manifest, TUNED)
    assert "300 of its texts" in told
    assert "99 % of" in told
    assert "nothing that was tried" not in told


def test_a_target_that_was_missed_is_told(manifest: Manifest) -> None:
    assert "nothing that was tried reaches that" in note(manifest, {**TUNED, "reached": False})


def test_defaults_and_silent_manifests_claim_no_measurement(manifest: Manifest) -> None:
    assert "nothing was measured" in note(manifest, {"source": "default"})
    assert "does not tell" in note(manifest, {})
