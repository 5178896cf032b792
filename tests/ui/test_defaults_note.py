"""The note on the settings says where they come from, and nothing that the manifest does not tell."""

from retrieval.ui.defaults_note import defaults_note


def test_measured_settings_are_told_with_their_sample_and_target() -> None:
    note = defaults_note({"source": "measured", "sampled_queries": 1000, "target_share": 0.99, "reached": True})
    assert "1,000 of its texts" in note
    assert "99 % of what rescoring all int8 vectors" in note
    assert "nothing that was tried" not in note


def test_a_target_that_was_missed_is_told() -> None:
    assert "nothing that was tried reaches that" in defaults_note(
        {"source": "measured", "target_share": 0.99, "reached": False}
    )


def test_defaults_and_silent_manifests_claim_no_measurement() -> None:
    assert "nothing was measured" in defaults_note({"source": "default"})
    assert "does not tell" in defaults_note({})
