"""What is installed is what was tested: the lock has every pin, with hashes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==(\S+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in _PIN.findall(text)}


def test_the_lock_has_every_pin_but_pytorch_s() -> None:
    wanted = pins("".join((ROOT / f"requirements{kind}.txt").read_text(encoding="utf-8") for kind in ("", "-dev")))
    locked = pins(LOCK)
    assert len(wanted) > 100
    assert {name for name in wanted if locked.get(name) != wanted[name]} == {"torch"}


def test_everything_in_the_lock_has_hashes_and_names_no_place() -> None:
    entries = re.sub(r"\s*\\\n\s*", " ", LOCK).splitlines()
    assert len(entries) == len(pins(LOCK))
    assert [entry for entry in entries if not re.search(r" --hash=sha256:[0-9a-f]{64}", entry)] == []
    assert "://" not in LOCK
