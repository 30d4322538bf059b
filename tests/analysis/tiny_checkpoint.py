"""Builds emotion2vec+ checkpoints of any size, with random weights and the published file layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TOKENS = (
    "生气/angry", "厌恶/disgusted", "恐惧/fearful", "开心/happy", "中立/neutral",
    "其他/other", "难过/sad", "吃惊/surprised", "<unk>",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Dimensions of a model; those of ``BASE`` are the published emotion2vec+ base."""

    embed_dim: int
    heads: int
    prenet_depth: int
    depth: int
    conv_channels: int


TINY = Size(embed_dim=32, heads=4, prenet_depth=1, depth=2, conv_channels=16)
BASE = Size(embed_dim=768, heads=12, prenet_depth=4, depth=8, conv_channels=512)


def build(
    directory: Path,
    size: Size = TINY,
    tokens: tuple[str, ...] = TOKENS,
    *,
    normalize: bool = True,
    seed: int = 0,
) -> Path:
    """Write config.yaml, configuration.json, tokens.txt and model.pt; give the directory back.

    As in the published files, the weights of the training-only decoder are absent.
    """
    import yaml

    directory.mkdir(parents=True, exist_ok=True)
    config = _config(size, normalize)
    (directory / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (directory / "configuration.json").write_text(json.dumps(_configuration()), encoding="utf-8")
    (directory / "tokens.txt").write_text("\n".join(tokens), encoding="utf-8")
    _write_weights(directory / "model.pt", config, len(tokens), seed)
    return directory


def change_weights(directory: Path, change: Callable[[dict], object]) -> None:
    """Rewrite model.pt after ``change(weights)`` has altered the dictionary of tensors in place."""
    import torch

    weights = torch.load(directory / "model.pt", weights_only=True)["model"]
    change(weights)
    torch.save({"model": weights}, directory / "model.pt")


def _write_weights(path: Path, config: dict, labels: int, seed: int) -> None:
    import torch
    from funasr.models.emotion2vec.model import Emotion2vec

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Emotion2vec(model_conf=config["model_conf"], vocab_size=labels)
        # Larger than torch's own start, so that the nine scores differ from utterance to utterance.
        torch.nn.init.normal_(model.proj.weight, std=0.2)
    torch.save({"model": _published_names(model.state_dict())}, path)


def _published_names(state: dict) -> dict:
    return {
        name if name.startswith("proj.") else f"d2v_model.{name}": weight.clone()
        for name, weight in state.items()
        if ".decoder." not in name
    }


def _configuration() -> dict:
    return {
        "framework": "pytorch",
        "task": "emotion-recognition",
        "model": {"type": "funasr"},
        "file_path_metas": {
            "init_param": "model.pt",
            "tokenizer_conf": {"token_list": "tokens.txt"},
            "config": "config.yaml",
        },
    }


def _config(size: Size, normalize: bool) -> dict:
    return {
        "model": "Emotion2vec",
        "model_conf": _model_conf(size, normalize),
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
        "scope_map": ["d2v_model.", "none"],
    }


def _model_conf(size: Size, normalize: bool) -> dict:
    return {
        "loss_beta": 0.0,
        "loss_scale": None,
        "depth": size.depth,
        "start_drop_path_rate": 0.0,
        "end_drop_path_rate": 0.0,
        "num_heads": size.heads,
        "norm_eps": 1e-5,
        "norm_affine": True,
        "encoder_dropout": 0.1,
        "post_mlp_drop": 0.1,
        "attention_dropout": 0.1,
        "activation_dropout": 0.0,
        "dropout_input": 0.0,
        "layerdrop": 0.05,
        "embed_dim": size.embed_dim,
        "mlp_ratio": 4.0,
        "layer_norm_first": False,
        "average_top_k_layers": size.depth,
        "end_of_block_targets": False,
        "clone_batch": 8,
        "normalize": normalize,
        "modalities": {"audio": _audio_conf(size)},
    }


def _audio_conf(size: Size) -> dict:
    channels = size.conv_channels
    return {
        "type": "AUDIO",
        "extractor_mode": "layer_norm",
        "feature_encoder_spec": (
            f"[({channels}, 10, 5)] + [({channels}, 3, 2)] * 4 + [({channels}, 2, 2)] + [({channels}, 2, 2)]"
        ),
        "conv_pos_width": 95,
        "conv_pos_groups": 16,
        "conv_pos_depth": 5,
        "conv_pos_pre_ln": False,
        "prenet_depth": size.prenet_depth,
        "prenet_layerdrop": 0.05,
        "prenet_dropout": 0.1,
        "start_drop_path_rate": 0.0,
        "end_drop_path_rate": 0.0,
        "num_extra_tokens": 10,
        "init_extra_token_zero": True,
        "mask_noise_std": 0.01,
        "mask_prob": 0.5,
        "mask_length": 5,
        "inverse_mask": False,
        "keep_masked_pct": 0.0,
        "encoder_zero_mask": True,
        "local_grad_mult": 1.0,
        "use_alibi_encoder": True,
        "alibi_scale": 1.0,
        "learned_alibi": False,
        "alibi_max_pos": None,
        "learned_alibi_scale": True,
        "learned_alibi_scale_per_head": True,
        "learned_alibi_scale_per_layer": False,
        "num_alibi_heads": size.heads,
        "model_depth": size.depth,
        "decoder": _decoder_conf(),
    }


def _decoder_conf() -> dict:
    return {
        "decoder_dim": 32,
        "decoder_groups": 16,
        "decoder_kernel": 7,
        "decoder_layers": 2,
        "input_dropout": 0.1,
        "add_positions_masked": False,
        "add_positions_all": False,
        "decoder_residual": True,
        "projection_layers": 1,
        "projection_ratio": 2.0,
    }
