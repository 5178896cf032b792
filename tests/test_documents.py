"""The documents: short, with links and commands that work, and true about the package."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import retrieval
from retrieval import build_index, load_encoder
from retrieval.corpus.sources import SourceOptions, open_corpus

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "assets" / "docs").glob("*.md")])
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXTS[path.name])
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", TEXTS)
def test_commands_exist(name: str) -> None:
    scripts = re.findall(r"\bscripts/\w+\.py", TEXTS[name])
    assert [script for script in scripts if not (ROOT / script).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"`?make ([a-z]+)`", TEXTS[name])
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


def test_the_readme_has_at_most_150_lines_and_python_on_its_first_screen() -> None:
    lines = TEXTS["README.md"].splitlines()
    assert len(lines) <= 150
    assert "```python" in lines[:50]


def test_the_map_names_every_folder() -> None:
    named = set(re.findall(r"[\w/]+", " ".join(re.findall(r"`([^`]+)`", TEXTS["CONTRIBUTING.md"]))))
    packages = [path.parent.relative_to(ROOT) for top in ("retrieval", "scripts") for path in _packages(ROOT / top)]
    missing = [str(each) for each in packages if not any(f"/{each}".endswith(f"/{name}") for name in named)]
    assert missing == []


def _packages(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/**/__init__.py") if "peers" not in path.parts]


def test_files_named_in_the_map_exist() -> None:
    paths = re.findall(r"`((?:retrieval|scripts|tests)/[\w/.]+)`", TEXTS["CONTRIBUTING.md"])
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists() and path != "tests/search"] == []


def test_one_version_is_named_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    latest = re.search(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", TEXTS["CHANGELOG.md"], re.MULTILINE)
    assert latest is not None
    assert retrieval.__version__ == project["version"] == latest[1]


def test_every_variable_that_is_read_is_in_the_table() -> None:
    sources = [ROOT / "app.py", *(ROOT / "retrieval").rglob("*.py")]
    reading = re.compile(r"""environ(?:ment)?(?:\.get\(|\[|, )"([A-Z_]+)"|"([A-Z_]+)" in (?:os\.)?environ""")
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    names = {one or other for one, other in reading.findall(code)}
    assert {"VISITOR_RATE", "OWN_MAX_MB", "ALLOWED_HOSTS", "SPACE_ID"} <= names
    # Set for libraries and children, not read.
    set_by_us = {
        "GRADIO_ANALYTICS_ENABLED", "PYTHONPATH", "RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER",
    }  # fmt: skip
    assert {name for name in names - set_by_us if f"`{name}" not in TEXTS["deployment.md"]} == set()


def test_the_readme_installs_the_pinned_pytorch() -> None:
    [pinned] = re.findall(r"^torch==\S+", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert f" {pinned} --index-url" in TEXTS["README.md"]


@pytest.mark.model
def test_the_readme_s_search_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("Read a CSV file into a table.\nSort a list.\nOpen a socket.\n")
    build_index(open_corpus(SourceOptions("file", path=str(texts))), load_encoder(), tmp_path / "assets/indexes/python")
    [example] = [part.split("```")[0] for part in TEXTS["README.md"].split("```python\n") if "Searcher.open" in part]
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert "1 0." in (printed := capsys.readouterr().out)
    assert "Read a CSV file into a table." in printed.splitlines()[0]


def test_make_alone_lists_the_commands_and_starts_nothing() -> None:
    printed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {"demo", "test", "benchmark"} <= {line.split()[1] for line in printed.splitlines()}


def test_measuring_builds_the_small_index_unless_another_is_named() -> None:
    def commands(*arguments: str) -> str:
        made = ["make", "--dry-run", "--old-file", ".venv/.ready", *arguments]
        return subprocess.run(made, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    for target in ("benchmark", "screenshots"):
        assert f"scripts/{target}.py --index assets/indexes/python" in commands(target)
        is_built = (ROOT / "assets/indexes/python/manifest.json").exists()
        assert is_built or "--corpus python" in commands(target)
        assert "build_index.py" not in commands(target, "INDEX=assets/indexes/notes")
