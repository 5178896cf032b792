"""A short selection of the injected faults: each kind is survived, and the count notices when one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import faults as command
from scripts.injected import builds, damage, fuzzing, limits, running
from scripts.injected.parts import WRONG, Fault, build_small


def survived(found: list[Fault]) -> bool:
    told = "\n".join(map(str, found))
    assert all(fault.is_survived for fault in found), told
    return True


def test_damaged_files_never_end_the_process_and_never_answer_wrongly() -> None:
    found = damage.run(truncations=4, flips=8, manifest_step=97)
    assert survived(found)
    by_name = {fault.name: fault.outcomes for fault in found}
    assert set(by_name["file of an index missing"]) == {"refused at opening"}
    assert set(by_name["file of an index truncated"]) == {"refused at opening"}
    assert "answered rightly" not in by_name["file of an index one byte flipped"]


def test_files_changed_under_a_running_process_are_noticed_or_do_no_harm() -> None:
    assert survived(running.run(positions=1))


def test_disturbed_builds_continue_to_equal_bytes() -> None:
    assert survived(builds.run(kills=2, disks=2))


def test_too_few_handles_and_too_little_memory_are_reported_and_lose_nothing() -> None:
    found = limits.run(handles=2, memory=4)
    assert survived(found)
    told = {outcome for fault in found for outcome in fault.outcomes}
    assert {"refused with a message", "refused with a message, then went on to equal bytes"} <= told


def test_the_cases_of_a_fuzzed_subject_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "SUBJECTS", {"quantization": "arrays"})
    [fault] = fuzzing.run(times=1)
    assert survived([fault])
    assert fault.outcomes.total() >= 150


def test_every_fuzzed_subject_is_in_the_table() -> None:
    files = {path.stem.removeprefix("test_") for path in (Path(__file__).parents[1] / "fuzz").glob("test_*.py")}
    assert files == fuzzing.SUBJECTS.keys()


def test_a_child_that_dies_is_counted_and_the_other_cases_continue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(damage, "child_command", lambda *arguments: ["sh", "-c", "read line; kill -9 $$"])
    found = damage.run(truncations=1, flips=1, manifest_step=10_000)
    assert {outcome for fault in found for outcome in fault.outcomes} == {"process died"}
    assert not any(fault.is_survived for fault in found)


@pytest.mark.parametrize("outcome", WRONG)
def test_one_bad_outcome_among_many_fails_the_command(
    outcome: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = Fault("a fault")
    fault.outcomes.update({"refused at opening": 99, outcome: 1})
    monkeypatch.setattr(command, "KINDS", {"damage": lambda: [fault]})
    assert command.main(["--only", "damage"]) == 1
    assert "not survived: a fault" in capsys.readouterr().err


def test_the_table_goes_between_the_markers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fault = Fault("a fault")
    fault.outcomes["refused at opening"] = 3
    monkeypatch.setattr(command, "KINDS", {"damage": lambda: [fault]})
    text = tmp_path / "text.md"
    text.write_text("before\n<!-- figures: faults -->\nold\n<!-- /figures -->\nafter\n")
    assert command.main(["--text", str(text)]) == 0
    assert "| a fault | 3 | 3 refused at opening |" in text.read_text()
    assert "old" not in text.read_text()


def test_the_counts_of_other_kinds_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one, other, again = Fault("one"), Fault("other"), Fault("one")
    one.outcomes["refused at opening"] = 3
    other.outcomes["served as it was"] = 4
    again.outcomes["refused at opening"] = 5
    file = str(tmp_path / "faults.json")
    monkeypatch.setattr(command, "KINDS", {"damage": lambda: [one], "running": lambda: [other]})
    assert command.main(["--json", file]) == 0
    monkeypatch.setattr(command, "KINDS", {"damage": lambda: [again], "running": lambda: []})
    text = tmp_path / "text.md"
    text.write_text("<!-- figures: faults -->\n<!-- /figures -->\n")
    assert command.main(["--only", "damage", "--json", file, "--text", str(text)]) == 0
    assert "| one | 5 | 5 refused at opening |\n| other | 4 | 4 served as it was |" in text.read_text()


def test_the_table_of_the_document_has_every_kind_and_is_that_of_the_kept_counts() -> None:
    root = Path(command.__file__).parents[1]
    found = command.kept(root / "assets" / "benchmarks" / "faults.json")
    assert found.keys() == command.KINDS.keys()
    assert survived(faults := command.in_order(found))
    assert command.table(faults) in (root / "SECURITY.md").read_text(encoding="utf-8")


def test_every_file_of_an_index_is_damaged_in_every_way(tmp_path: Path) -> None:
    folder = build_small(tmp_path / "index").path
    tried = {(case.file, case.damage) for case in damage.cases(folder, 2, 2)}
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert tried == {(file, each) for file in files for each in damage.DAMAGES}
