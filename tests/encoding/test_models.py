"""Any sentence-transformers model: tiny real ones of several kinds, on OpenVINO against PyTorch, and in an index."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BundleIncompatibleError, ModelError, Searcher, build_index, load_encoder
from retrieval.bundle.manifest import EMBEDDINGS_FILE
from retrieval.encoding.model_files import locate_model
from retrieval.encoding.prompts import Prompts
from tests.conftest import RowsCorpus
from tests.encoding.weights import write_weights
from tests.tiny_models import TEXTS

ROOT = Path(__file__).parents[2]
CONVERTED = {
    "prompted": 36, "passages": 20, "dense": 44, "last": 28, "shortened": 30, "root": 36, "bytes": 36,
    "float16": 28, "bfloat16": 36, "bfloat16_dense": 22,
}  # fmt: skip
DIMS = {**CONVERTED, "instructed": 36, "static": 20}
HALF = {"float16": "F16", "bfloat16": "BF16", "bfloat16_dense": "BF16"}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of tiny models, with what they said in a process of their own; the cache is in it."""
    folder = tmp_path_factory.mktemp("tiny-models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(folder / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")  # more would spin: the models are tiny
        command = [sys.executable, "-m", "tests.tiny_models", str(folder)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=1800, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def cache(models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(models / "cache"))
    return models


def told(models: Path, name: str, backend: str = "auto") -> Any:
    return json.loads((models / f"{name}.json").read_text())[backend]


def vectors(models: Path, name: str, which: str) -> Any:
    """Returns what `which` gave for `TEXTS`, at length 1."""
    with np.load(models / f"{name}.npz") as arrays:
        found = arrays[which]
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def cosines(one: Any, other: Any) -> Any:
    return (one * other).sum(axis=1)


@pytest.mark.model
class TestAnyModel:
    @pytest.mark.parametrize("name", DIMS)
    def test_dimension_is_the_models(self, models: Path, name: str) -> None:
        assert told(models, name)["dim"] == DIMS[name]
        assert vectors(models, name, "auto_documents").shape == (len(TEXTS), DIMS[name])

    @pytest.mark.parametrize("name", CONVERTED)
    @pytest.mark.parametrize("kind", ["documents", "queries"])
    def test_openvino_gives_the_vectors_of_pytorch(self, models: Path, name: str, kind: str) -> None:
        assert told(models, name)["backend"].startswith("OpenVINO")
        one, other = (vectors(models, name, f"{backend}_{kind}") for backend in ("auto", "torch"))
        assert cosines(one, other).min() > 0.9995

    @pytest.mark.parametrize("name", sorted(DIMS.keys() - {"passages"}))
    @pytest.mark.parametrize("kind", ["documents", "queries"])
    def test_vectors_are_those_of_sentence_transformers(self, models: Path, name: str, kind: str) -> None:
        one, other = vectors(models, name, f"auto_{kind}"), vectors(models, name, f"library_{kind}")
        assert cosines(one, other).min() > 0.9995

    def test_a_passage_prompt_is_a_document_prompt(self, models: Path) -> None:
        expected = vectors(models, "passages", "library_passages")
        assert cosines(vectors(models, "passages", "auto_documents"), expected).min() > 0.9995

    def test_prompts_make_a_difference(self, models: Path) -> None:
        queries, documents = (vectors(models, "prompted", f"auto_{kind}") for kind in ("queries", "documents"))
        assert cosines(queries, documents).min() < 0.999

    @pytest.mark.parametrize("name", DIMS)
    def test_vectors_that_the_model_does_not_normalize_are_normalized(self, models: Path, name: str) -> None:
        with np.load(models / f"{name}.npz") as arrays:
            lengths = np.linalg.norm(arrays["auto_documents"], axis=1)
        assert lengths == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)

    @pytest.mark.parametrize("name", DIMS)
    def test_both_backends_count_the_same_tokens_cut_prompt_included(self, models: Path, name: str) -> None:
        assert told(models, name)["cut"] == told(models, name, "torch")["cut"]
        prompt_tokens = 2 if name in ("prompted", "instructed", "passages") else 0
        in_bytes = len(TEXTS[4].encode()) - 24
        expected = {"static": 0, "bytes": in_bytes}.get(name, 23 + prompt_tokens)
        assert told(models, name)["cut"][4] == expected

    @pytest.mark.parametrize(("name", "dtype"), HALF.items())
    def test_weights_of_half_precision_are_stored_as_such(self, models: Path, name: str, dtype: str) -> None:
        """What the tests above show for these models would mean nothing otherwise."""
        with (models / name / "model.safetensors").open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        assert {each["dtype"] for key, each in header.items() if key != "__metadata__"} == {dtype}

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("static", "StaticEmbedding uses no fast tokenizer"), ("instructed", "differ from PyTorch's")],
    )
    def test_models_that_openvino_cannot_run_fall_back_with_a_note(self, models: Path, name: str, reason: str) -> None:
        assert told(models, name)["backend"].startswith("PyTorch")
        assert reason in told(models, name)["note"]

    def test_nothing_is_left_of_a_conversion_that_was_given_up(self, models: Path) -> None:
        assert len(list((models / "cache").iterdir())) == len(CONVERTED)


@pytest.mark.model
class TestIndexOfOwnModel:
    def test_an_opened_index_encodes_queries_with_the_query_prompt(self, cache: Path, tmp_path: Path) -> None:
        encoder = load_encoder(cache / "prompted")
        corpus = RowsCorpus([{"text": text} for text in TEXTS])
        bundle = build_index(corpus, encoder, tmp_path / "index")
        searcher = Searcher.open(bundle.path)
        baseline = np.load(bundle.file(EMBEDDINGS_FILE))
        assert cosines(baseline, vectors(cache, "prompted", "auto_documents")).min() > 0.9995
        for text, query in zip(TEXTS, vectors(cache, "prompted", "auto_queries"), strict=True):
            hits = searcher.search(text, len(TEXTS)).hits
            assert [hit.row for hit in hits[:1]] == [int(np.argmax(baseline @ query))]
            assert [hit.score for hit in hits] == pytest.approx([baseline[hit.row] @ query for hit in hits], abs=0.02)

    def test_a_model_that_was_moved_is_asked_for_where_it_is_now(self, cache: Path, tmp_path: Path) -> None:
        shutil.copytree(cache / "dense", tmp_path / "moved")
        encoder = load_encoder(tmp_path / "moved")
        assert encoder.backend.startswith("OpenVINO")
        assert encoder.model_id == str(tmp_path / "moved")

    def test_a_cut_of_letters_of_several_bytes_is_reported_for_a_short_query(self, cache: Path, tmp_path: Path) -> None:
        encoder = load_encoder(cache / "bytes")
        bundle = build_index(RowsCorpus([{"text": text} for text in TEXTS]), encoder, tmp_path / "index")
        searcher = Searcher.open(bundle.path, encoder=encoder)
        notes = searcher.search("日本語のテキスト" * 2).notes
        assert any("its last 24 tokens" in note for note in notes)  # 48 bytes, and the model reads 24
        assert searcher.search("red apple").notes == ()


@pytest.mark.model
class TestKinds:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [("cross", "a cross-encoder"), ("bare_cross", "a cross-encoder"), ("splade", "a sparse encoder")],
    )
    def test_models_without_a_vector_per_text_are_refused(self, models: Path, name: str, kind: str) -> None:
        with pytest.raises(ModelError, match=f"is {kind}.*choose a sentence-transformers model"):
            load_encoder(models / "others" / name)

    @pytest.mark.parametrize(
        ("name", "architecture"), [("bases/bert", "BertModel"), ("others/bare_splade", "BertForMaskedLM")]
    )
    def test_a_model_without_a_list_of_modules_is_noted_also_when_it_is_converted_already(
        self, cache: Path, name: str, architecture: str
    ) -> None:
        first, again = load_encoder(cache / name), load_encoder(cache / name)
        assert first.backend.startswith("OpenVINO")
        for note in (first.note, again.note):
            assert note is not None
            assert "has no modules.json" in note
            assert architecture in note

    def test_models_that_are_made_for_embeddings_have_no_note(self, models: Path) -> None:
        assert {told(models, name)["note"] for name in CONVERTED} == {None}


@pytest.mark.model
class TestIdentity:
    @pytest.mark.parametrize("file", ["1_Pooling/config.json", "config_sentence_transformers.json", "modules.json"])
    def test_the_same_weights_in_another_configuration_are_another_model(
        self, models: Path, tmp_path: Path, file: str
    ) -> None:
        shutil.copytree(models / "prompted", tmp_path / "other")
        same = locate_model(tmp_path / "other").weights_sha256
        (tmp_path / "other" / file).write_text((models / "prompted" / file).read_text() + " ")
        assert same == locate_model(models / "prompted").weights_sha256
        assert locate_model(tmp_path / "other").weights_sha256 != same

    def test_weights_of_a_later_module_count(self, models: Path, tmp_path: Path) -> None:
        shutil.copytree(models / "dense", tmp_path / "other")
        weights = tmp_path / "other" / "2_Dense" / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")  # as long as before
        assert locate_model(tmp_path / "other").weights_sha256 != locate_model(models / "dense").weights_sha256

    def test_the_model_hash_ignores_files_that_do_not_change_vectors(self, models: Path, tmp_path: Path) -> None:
        shutil.copytree(models / "dense", tmp_path / "other")
        (tmp_path / "other" / "README.md").write_text("new words")
        (tmp_path / "other" / "onnx").mkdir()
        (tmp_path / "other" / "onnx" / "config.json").write_text("{}")
        assert locate_model(tmp_path / "other").weights_sha256 == locate_model(models / "dense").weights_sha256

    def test_an_index_refuses_its_model_with_other_prompts(self, cache: Path, tmp_path: Path) -> None:
        shutil.copytree(cache / "passages", tmp_path / "model")
        encoder = load_encoder(tmp_path / "model")
        build_index(RowsCorpus([{"text": text} for text in TEXTS]), encoder, tmp_path / "index")
        with pytest.raises(BundleIncompatibleError, match="open it with its own model"):
            Searcher.open(tmp_path / "index", encoder=load_encoder(cache / "prompted"))
        with pytest.raises(ModelError, match="a different or altered model"):
            locate_model(tmp_path / "model", expected_sha256=locate_model(cache / "prompted").weights_sha256)


@pytest.mark.parametrize("content", ["", "[]", "{}", "[3]", '[{"path": 3}]', '[{"path": "../../etc"}]'])
def test_a_list_of_modules_that_is_none_is_left_to_the_library(tmp_path: Path, content: str) -> None:
    write_weights(tmp_path / "model.safetensors")
    (tmp_path / "modules.json").write_text(content)
    assert len(locate_model(tmp_path).weights_sha256) == 64


@pytest.mark.parametrize(
    ("configured", "query", "document"),
    [
        ({}, "", ""),
        ({"query": "q: ", "document": "d: ", "passage": "p: "}, "q: ", "d: "),
        ({"query": "q: ", "document": "", "passage": "p: "}, "q: ", "p: "),
        ({"query": None, "document": None, "corpus": "c: "}, "", "c: "),
        ({"retrieval": "r: "}, "", ""),
    ],
)
def test_which_prompt_is_for_what(configured: dict[str, str | None], query: str, document: str) -> None:
    assert Prompts.of(configured) == Prompts(query, document)
