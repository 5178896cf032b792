"""Where the settings of an index come from, in a sentence or two."""

from __future__ import annotations

from retrieval.bundle.bundle import Manifest


def defaults_note(manifest: Manifest) -> str:
    """Returns, as HTML, what a manifest tells of the choice of candidates and multiplier."""
    return f'<p class="defaults-note">{_words(manifest)}</p>'


def _words(manifest: Manifest) -> str:
    tuning = manifest.tuning
    if tuning is None:
        if manifest.search.get("source") == "default":
            return "Candidates and multiplier are the program's own defaults: nothing was measured on this index."
        return "This index does not tell how its candidates and multiplier were chosen."
    missed = "" if tuning.reached else "; nothing that was tried reaches that"
    return (
        f"Candidates and multiplier were measured when this index was built, with {tuning.sampled_queries:,} of its "
        f"texts as queries, to find {100 * tuning.target_share:g} % of what rescoring all int8 vectors would{missed}."
    )
