"""The documentation of this interpreter as a corpus.

Two harvests serve most tests: `tiny` of a package made to misbehave, and `real` of the standard library, numpy and
pandas as installed.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from retrieval.corpus.base import COMMON_SCHEMA, Corpus
from retrieval.corpus.python.corpus import PythonCorpus
from retrieval.corpus.python.modules import is_public, package_modules
from retrieval.corpus.python.runtime import probe_modules
from retrieval.corpus.python.wording import CUT_MARK
from retrieval.errors import CorpusError
from tests.corpus.tiny_package import TINY, write_package
from tests.support import PATIENCE_S


@dataclass(frozen=True)
class Harvest:
    corpus: PythonCorpus
    rows_before: int | None
    table: pa.Table

    def __post_init__(self) -> None:
        self.table.validate(full=True)

    def names(self) -> list[str]:
        return [str(name) for name in self.table["qualified_name"].to_pylist()]

    def row(self, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.table.slice(self.names().index(name), 1).to_pylist()
        return found[0]


def harvest(corpus: PythonCorpus) -> Harvest:
    before = corpus.num_rows
    return Harvest(corpus, before, pa.Table.from_batches(list(corpus.batches())))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harvest]:
    folder = tmp_path_factory.mktemp("packages")
    write_package(folder / "tinydocs", TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield harvest(PythonCorpus(("tinydocs",), module_timeout_s=8.0))


@pytest.fixture(scope="module")
def real() -> Harvest:
    return harvest(PythonCorpus())


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is on the path of this process and of its children."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def tiny_names(tiny: Harvest) -> set[str]:
    return {name for name in tiny.names() if name.startswith("tinydocs")}


# Public names


def test_a_private_definition_has_the_name_under_which_it_is_shown(tiny: Harvest) -> None:
    assert tiny.row("tinydocs.visible")["text"] == "tinydocs.visible: Show what is there."
    assert "tinydocs._impl.visible" not in tiny.names()


def test_an_object_with_several_names_is_one_row_under_the_shortest_that_is_its_own(tiny: Harvest) -> None:
    names = tiny_names(tiny)
    assert "tinydocs.helper" in names
    assert "tinydocs.Thing.method" in names
    assert not names & {"tinydocs.deep.inner.helper", "tinydocs.Twin", "tinydocs.Thing.again"}


def test_a_method_of_a_private_base_belongs_to_the_public_class(tiny: Harvest) -> None:
    assert tiny.row("tinydocs.Thing.inherited")["kind"] == "method"


def test_imported_names_of_a_module_without_all_are_left_out(tiny: Harvest) -> None:
    names = tiny_names(tiny)
    assert "tinydocs.imports.own" in names
    assert not names & {"tinydocs.imports.dumps", "tinydocs.imports.inner_only"}
    assert "tinydocs.deep.inner.inner_only" in names


def test_private_test_and_borrowed_code_is_left_out(tiny: Harvest) -> None:
    hidden = re.compile(r"\._|\.test|_test\b|conftest|borrowed|started|_hidden|_invisible|in_tests")
    assert [name for name in tiny_names(tiny) if hidden.search(name)] == []


def test_names_without_docstring_are_left_out(tiny: Harvest) -> None:
    assert not tiny_names(tiny) & {"tinydocs.Thing.undocumented", "tinydocs.generated.numbered"}


def test_copied_docstrings_of_one_name_are_one_row(tiny: Harvest) -> None:
    assert [name for name in tiny.names() if name.endswith(".copied")] == ["tinydocs.copies.First.copied"]


def test_lazy_names_are_found_and_those_that_raise_lose_nothing_else(tiny: Harvest) -> None:
    assert "tinydocs.lazy.late" in tiny_names(tiny)
    assert {"tinydocs.generated.Holder.good", "tinydocs.generated.Lazy.value"} <= tiny_names(tiny)


@pytest.mark.parametrize(
    "name", ["a.tests.b", "a._b", "a.test_b", "a.b_test", "a.conftest", "a.__main__", "a.vendor.b"]
)
def test_modules_with_a_private_part_are_not_public(name: str) -> None:
    assert not is_public(name)


@pytest.mark.parametrize("name", ["a", "a.testing", "a.attest.b", "_a.b"])
def test_modules_without_a_private_part_below_the_top_are_public(name: str) -> None:
    assert is_public(name)


# Modules that misbehave


def test_modules_that_hang_crash_exit_or_ask_are_read_from_their_source(tiny: Harvest) -> None:
    lost = {"tinydocs.hang.asleep", "tinydocs.hang.Sleeper.dream", "tinydocs.crash.fallen"}
    assert lost | {"tinydocs.exits.left", "tinydocs.asks.asked"} <= tiny_names(tiny)


def test_a_module_that_prints_spoils_nothing(tiny: Harvest) -> None:
    assert tiny.row("tinydocs.noisy.loud")["text"] == "tinydocs.noisy.loud: Make noise."


def test_docstrings_made_at_run_time_are_read(tiny: Harvest) -> None:
    row = tiny.row("tinydocs.generated.made")
    assert row["text"] == "tinydocs.generated.made: Be documented at run time only."
    assert row["body"].splitlines() == ["def made():", '    """Be documented at run time only."""', "    return 0"]


def test_a_docstring_that_cannot_be_encoded_is_read_without_the_broken_character(tiny: Harvest) -> None:
    assert tiny.row("tinydocs.generated.broken")["text"] == "tinydocs.generated.broken: Say ? something."


def test_a_module_gets_no_network_no_browser_and_no_other_program(tiny: Harvest) -> None:
    assert tiny.row("tinydocs.reaching.reach")["text"].endswith("Report refused and refused and refused.")


def test_files_that_are_not_python_are_passed_over(tiny: Harvest) -> None:
    assert not [name for name in tiny.names() if ".broken.un" in name or ".latin." in name]


def test_the_submodules_of_a_module_that_hangs_are_given_up_with_it(packages: Path) -> None:
    write_package(packages / "stuck", {"__init__.py": "import time\ntime.sleep(600)\n", "below.py": ""})
    write_package(packages / "stucker", {"__init__.py": 'def fine():\n    """Be fine."""\n'})
    probe = probe_modules(["stuck", "stuck.below", "stucker"], module_timeout_s=6.0)
    assert set(probe.failures) == {"stuck", "stuck.below"}
    assert list(probe.names) == ["stucker"]


def test_a_module_that_closes_and_scribbles_over_files_loses_only_itself(packages: Path) -> None:
    for_all_files = "import os\nfor fd in range(1, 64):\n    try:\n        {}\n    except OSError:\n        pass\n"
    write_package(packages, {"closer.py": for_all_files.format("os.close(fd)")})
    write_package(packages, {"scribbler.py": for_all_files.format("os.write(fd, b'{]\\n')")})
    write_package(packages, {"tidy.py": 'def f():\n    """Be tidy."""\n'})
    probe = probe_modules(["closer", "scribbler", "tidy"], module_timeout_s=PATIENCE_S)
    assert "closer" in probe.failures
    assert "tidy:f" in probe.entities


def test_a_package_in_the_working_directory_is_found_and_shadows_no_standard_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    write_package(tmp_path, {"here.py": 'def f():\n    """Be here."""\n', "sched.py": 'def g():\n    """Shadow."""\n'})
    entities = probe_modules(["here", "sched"], module_timeout_s=PATIENCE_S).entities
    assert "here:f" in entities
    assert "sched:scheduler" in entities


def test_a_child_sees_no_secrets_of_the_environment(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "swordfish")
    write_package(packages, {"leaky.py": "import os\ndef f():\n    pass\nf.__doc__ = f'Know {sorted(os.environ)}.'\n"})
    entities = probe_modules(["leaky"], module_timeout_s=PATIENCE_S).entities
    assert "SECRET_TOKEN" not in str(entities["leaky:f"].doc)


def test_docstrings_hold_no_memory_addresses(packages: Path) -> None:
    write_package(packages, {"pointing.py": "def f():\n    pass\nf.__doc__ = f'Point to {object()!r}.'\n"})
    entity = probe_modules(["pointing"], module_timeout_s=PATIENCE_S).entities["pointing:f"]
    assert entity.doc == "Point to <object object>."


# Rows


def test_it_is_a_corpus_with_the_common_columns_first(tiny: Harvest) -> None:
    corpus: Corpus = tiny.corpus
    assert corpus.info.name == "python"
    assert tiny.table.schema.names == [*COMMON_SCHEMA.names, "qualified_name", "kind", "package"]
    assert set(tiny.table["kind"].to_pylist()) == {"class", "function", "method", "property"}


def test_the_number_of_rows_is_known_once_they_are_read(tiny: Harvest) -> None:
    assert tiny.rows_before is None
    assert tiny.corpus.num_rows == tiny.table.num_rows


def test_the_body_is_the_code(tiny: Harvest) -> None:
    body = tiny.row("tinydocs.Thing.method")["body"]
    assert body.splitlines() == ["def method(self, first, second=2):", '    """Do the thing."""']
    assert tiny.row("tinydocs.Thing.size")["body"].startswith("@property\ndef size(self):")


def test_other_packages_have_no_url(tiny: Harvest) -> None:
    assert tiny.row("tinydocs.visible")["url"] is None


def test_a_second_harvest_gives_the_same_rows_in_the_same_order(tiny: Harvest, real: Harvest) -> None:
    def stdlib(table: pa.Table) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = table.to_pylist()
        return [row for row in rows if row["package"] == "stdlib"]

    assert stdlib(tiny.table) == stdlib(real.table)


# The real interpreter


@pytest.mark.parametrize(
    ("name", "kind", "url"),
    [
        ("subprocess.run", "function", "PYTHON/subprocess.html#subprocess.run"),
        ("subprocess.Popen.communicate", "method", "PYTHON/subprocess.html#subprocess.Popen.communicate"),
        ("len", "function", "PYTHON/functions.html#len"),
        ("open", "function", "PYTHON/functions.html#open"),
        ("type", "class", "PYTHON/functions.html#type"),
        ("str", "class", "PYTHON/stdtypes.html#str"),
        ("str.split", "method", "PYTHON/stdtypes.html#str.split"),
        ("ValueError", "class", "PYTHON/exceptions.html#ValueError"),
        ("math.sqrt", "function", "PYTHON/math.html#math.sqrt"),
        ("itertools.chain", "class", "PYTHON/itertools.html#itertools.chain"),
        ("os.path.join", "function", "PYTHON/os.path.html#os.path.join"),
        ("random.randint", "function", "PYTHON/random.html#random.randint"),
        ("datetime.datetime.now", "method", "PYTHON/datetime.html#datetime.datetime.now"),
        ("collections.OrderedDict", "class", "PYTHON/collections.html#collections.OrderedDict"),
        ("json.dumps", "function", "PYTHON/json.html#json.dumps"),
        ("asyncio.sleep", "function", "PYTHON/asyncio-task.html#asyncio.sleep"),
        ("socket.socket.recv", "method", "PYTHON/socket.html#socket.socket.recv"),
        ("pathlib.PurePath.suffix", "property", "PYTHON/pathlib.html#pathlib.PurePath.suffix"),
        (
            "xml.etree.ElementTree.parse",
            "function",
            "PYTHON/xml.etree.elementtree.html#xml.etree.ElementTree.parse",
        ),
        ("numpy.sort", "function", "https://numpy.org/doc/stable/reference/generated/numpy.sort.html"),
        ("numpy.add", "function", "https://numpy.org/doc/stable/reference/generated/numpy.add.html"),
        (
            "numpy.random.rand",
            "function",
            "https://numpy.org/doc/stable/reference/random/generated/numpy.random.rand.html",
        ),
        ("pandas.read_csv", "function", "https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html"),
        (
            "pandas.DataFrame.to_csv",
            "method",
            "https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_csv.html",
        ),
        (
            "pandas.Series.str.contains",
            "method",
            "https://pandas.pydata.org/docs/reference/api/pandas.Series.str.contains.html",
        ),
    ],
)
def test_well_known_names_are_there_with_their_official_page(real: Harvest, name: str, kind: str, url: str) -> None:
    row = real.row(name)
    library = f"https://docs.python.org/{sys.version_info.major}.{sys.version_info.minor}/library"
    assert (row["kind"], row["url"]) == (kind, url.replace("PYTHON", library))


def test_the_text_is_the_name_and_the_first_sentence(real: Harvest) -> None:
    assert real.row("pandas.read_csv")["text"] == (
        "pandas.read_csv: Read a comma-separated values (csv) file into DataFrame. (read csv)"
    )
    assert real.row("str.find")["text"].startswith(
        "str.find: Return the lowest index in S where substring sub is found"
    )


def test_no_name_and_no_text_comes_twice(real: Harvest) -> None:
    names, texts = real.names(), real.table["text"].to_pylist()
    assert len(set(names)) == len(names)
    assert len(set(texts)) == len(texts)


def test_all_names_are_public(real: Harvest) -> None:
    private = re.compile(
        r"(^|\.)_|\.tests?\.|\.conftest|^pandas\.core\.|^numpy\.(core|distutils)|^posix|^antigravity|^idlelib"
    )
    assert [name for name in real.names() if private.search(name)] == []


def test_the_size_is_that_of_a_first_try(real: Harvest) -> None:
    assert 7_000 < real.table.num_rows < 20_000


def test_texts_and_bodies_keep_their_limits(real: Harvest) -> None:
    rows = real.table.to_pylist()
    assert max(len(row["text"]) for row in rows) <= 400
    assert max(len(row["body"]) for row in rows) <= 4000 + len(CUT_MARK) + 1
    assert max(row["body"].count("\n") for row in rows) <= 60
    assert min(len(row["body"]) for row in rows) > 0


def test_every_row_of_the_documented_packages_has_a_page(real: Harvest) -> None:
    assert real.table["url"].null_count == 0


def test_the_title_names_the_versions_and_the_credits_name_the_licences() -> None:
    info = PythonCorpus().info
    assert platform.python_version() in info.title
    assert re.search(r"numpy \d+\..*pandas \d+\.", info.title)
    assert info.attribution is not None
    assert "PSF" in info.attribution
    assert "BSD" in info.attribution
    assert info.body_language == "python"
    assert len(info.examples) == 6


# Packages that are not there


def test_a_package_that_is_not_installed_is_refused_with_the_command_that_installs_it() -> None:
    with pytest.raises(CorpusError, match=r"'nowheretobefound' is not installed.*pip install nowheretobefound"):
        PythonCorpus(("numpy", "nowheretobefound"))


def test_the_name_of_a_distribution_is_refused_with_the_name_of_its_package() -> None:
    with pytest.raises(CorpusError, match=r"'faiss-cpu' is the name of a distribution.*'faiss'\."):
        PythonCorpus(("faiss-cpu",))


def test_a_part_of_a_package_is_refused_with_the_name_of_the_whole() -> None:
    with pytest.raises(CorpusError, match=r"'numpy\.linalg' .*'numpy'\."):
        PythonCorpus(("numpy.linalg",))


def test_one_package_may_be_given_as_text() -> None:
    assert "numpy" in PythonCorpus("numpy").info.title


def test_packages_are_listed_without_importing_them(packages: Path) -> None:
    write_package(packages / "fatal", {"__init__.py": "raise SystemExit", "part.py": ""})
    assert [module.name for module in package_modules("fatal")] == ["fatal", "fatal.part"]
    assert "fatal" not in sys.modules
