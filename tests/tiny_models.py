"""Tiny real models, made on the fly: what sentence-transformers saves, with random weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import load_encoder

WORDS = "[PAD] [UNK] [CLS] [SEP] red green blue apple pear plum sort list dict file query : document of the".split()
TEXTS = ["red apple", "x", "green pear of the list", "sort", "the dict of the file " * 9, "plum 🍎", "blue file dict"]
PROMPTS = {"query": "query : ", "document": "document : "}
PASSAGE_PROMPTS = {"query": "query : ", "passage": "the file : ", "unused": "sort : "}


def make_all(folder: Path) -> None:
    """Runs in a child: saves the models below `folder`, and what each says of `TEXTS`, as NAME.npz and NAME.json."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    for name, model in _models(folder):
        model.save_pretrained(str(folder / name))
        _describe(folder, name)
    _save_others(folder / "others", Path(folder / "bases" / "bert"))


def _models(folder: Path) -> Any:
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding

    sizes = {"vocab_size": len(WORDS), "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32}
    bert = transformers.BertModel(transformers.BertConfig(hidden_size=36, **sizes))
    plain = _saved(folder / "bases" / "bert", bert, ["input_ids", "attention_mask"])
    typed = _saved(folder / "bases" / "typed", bert, ["input_ids", "token_type_ids", "attention_mask"])
    distil = transformers.DistilBertModel(
        transformers.DistilBertConfig(vocab_size=len(WORDS), dim=20, n_layers=2, n_heads=4, hidden_dim=32)
    )
    distilled = _saved(folder / "bases" / "distil", distil, ["input_ids", "attention_mask"])
    roberta = transformers.RobertaModel(transformers.RobertaConfig(hidden_size=28, pad_token_id=0, **sizes))
    robust = _saved(folder / "bases" / "roberta", roberta, ["input_ids", "attention_mask"])

    def chain(*modules: Any, **options: Any) -> Any:
        return SentenceTransformer(modules=list(modules), device="cpu", **options)

    yield "prompted", chain(Transformer(plain), Pooling(36, "mean"), prompts=PROMPTS, default_prompt_name="query")
    yield "passages", chain(Transformer(distilled), Pooling(20, "mean"), Normalize(), prompts=PASSAGE_PROMPTS)
    yield "dense", chain(Transformer(typed), Pooling(36, "cls"), Dense(36, 44))
    yield "last", chain(Transformer(robust), Pooling(28, "lasttoken"))
    yield "shortened", chain(Transformer(plain), Pooling(36, "mean"), truncate_dim=30)
    yield "instructed", chain(Transformer(plain), Pooling(36, "mean", include_prompt=False), prompts=PROMPTS)
    yield "root", chain(Transformer(plain), Pooling(36, "mean_sqrt_len_tokens"))
    yield "float16", chain(Transformer(robust), Pooling(28, "max")).half()
    yield "bfloat16", chain(Transformer(plain), Pooling(36, "mean")).bfloat16()
    weighted = chain(Transformer(typed), Pooling(36, "weightedmean"), Dense(36, 44), Dense(44, 22), Normalize())
    yield "bfloat16_dense", weighted.bfloat16()
    yield "bytes", chain(Transformer(_byte_level(folder / "bases" / "bytes", sizes)), Pooling(36, "mean"))
    yield "static", chain(StaticEmbedding(_tokenizer(), embedding_dim=20), prompts=PROMPTS)


def _byte_level(folder: Path, sizes: dict[str, int]) -> str:
    """Returns the folder of a model whose tokens are bytes, as those of RoBERTa and Qwen are for rare letters."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(["[PAD]", *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    config = transformers.BertConfig(hidden_size=36, **(sizes | {"vocab_size": 257}))
    transformers.BertModel(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=24, pad_token="[PAD]"
    ).save_pretrained(folder)
    return str(folder)


def _save_others(folder: Path, base: Path) -> None:
    """Saves models that give something else than one dense vector for each text."""
    import transformers
    from sentence_transformers import CrossEncoder, SparseEncoder

    for name, kind, library in (
        ("cross", transformers.BertForSequenceClassification, CrossEncoder),
        ("splade", transformers.BertForMaskedLM, SparseEncoder),
    ):
        bare = folder / f"bare_{name}"
        kind.from_pretrained(base, **({"num_labels": 1} if name == "cross" else {})).save_pretrained(bare)
        transformers.AutoTokenizer.from_pretrained(base).save_pretrained(bare)
        library(str(bare), device="cpu").save_pretrained(str(folder / name))


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    return tokenizer


def _saved(folder: Path, model: Any, inputs: list[str]) -> str:
    from transformers import PreTrainedTokenizerFast

    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=_tokenizer(), model_max_length=24, **names)
    tokenizer.model_input_names = inputs
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _describe(folder: Path, name: str) -> None:
    from sentence_transformers import SentenceTransformer

    told: dict[str, dict[str, Any]] = {}
    vectors: dict[str, Any] = {}
    for backend in ("auto", "torch"):
        encoder = load_encoder(folder / name, backend=backend)
        told[backend] = {"backend": encoder.backend, "note": encoder.note, "dim": encoder.dim}
        told[backend] |= {"sha": encoder.weights_sha256, "cut": [encoder.num_tokens_cut(text) for text in TEXTS]}
        vectors[f"{backend}_documents"] = encoder.encode(TEXTS)
        vectors[f"{backend}_queries"] = np.concatenate([encoder.encode_query([text]) for text in TEXTS])
    # In float32, whatever the type of the weights: what is computed in half precision is not the true vector.
    library = SentenceTransformer(str(folder / name), device="cpu", model_kwargs={"dtype": "float32"}).float()
    vectors["library_queries"] = library.encode_query(TEXTS)
    vectors["library_documents"] = library.encode_document(TEXTS)
    vectors["library_passages"] = library.encode([PASSAGE_PROMPTS["passage"] + text for text in TEXTS])
    np.savez(folder / f"{name}.npz", **vectors)
    (folder / f"{name}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    make_all(Path(sys.argv[1]))
