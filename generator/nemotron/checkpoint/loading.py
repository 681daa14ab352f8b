"""From a checkpoint folder to the language model on its device."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.index import PARTS, part, read_index
from ragvl.generator.nemotron.checkpoint.matrices import Format, read_matrix, read_plain, stored_format
from ragvl.generator.nemotron.checkpoint.names import match_names, own_name
from ragvl.generator.nemotron.checkpoint.quant_config import disagreements
from ragvl.generator.nemotron.checkpoint.quantised import multiplies_fp8
from ragvl.generator.nemotron.checkpoint.reading import TensorReader
from ragvl.generator.nemotron.language.linear import Linear
from ragvl.generator.nemotron.language.model import LanguageModel, tensor_table
from ragvl.generator.nemotron.language.weights import Role, Weights
from ragvl.generator.nemotron.settings import CheckpointConfig, LanguageSettings

__all__ = ["LoadReport", "default_dtype", "load_language"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """
    What loading found.

    Attributes:
        formats: how many matrices the checkpoint stores in which format.
        kept_fp8: 8-bit matrices are multiplied in 8 bits; otherwise they were widened.
        unused: names of scales that were passed over.
        disagreements: quantised modules that `hf_quant_config.json` excludes.
        other_parts: tensors of the other parts of the model, which are read elsewhere.
    """

    formats: Mapping[Format, int]
    kept_fp8: bool
    unused: tuple[str, ...]
    disagreements: tuple[str, ...]
    other_parts: Mapping[str, int]


def default_dtype(device: torch.device) -> torch.dtype:
    """The precision that suits a device: bfloat16 on a GPU, float32 on a CPU."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def load_language(
    config: CheckpointConfig,
    device: torch.device | str,
    *,
    dtype: torch.dtype | None = None,
    keep_fp8: bool | None = None,
    reader: TensorReader | None = None,
) -> tuple[LanguageModel, LoadReport]:
    """
    Read the language model of a checkpoint, tensor by tensor.

    Args:
        config: of the checkpoint, by `read_config`.
        device: where the model goes; host memory holds no more than the reader's buffers on the way to a GPU.
        dtype: of the model; None for what suits the device.
        keep_fp8: keep 8-bit matrices in 8 bits; None where the device multiplies them itself.
        reader: of that device, when it is not the usual one.

    Raises:
        ModelFileError: files are absent or damaged, or the tensors are not those of the model.
    """
    device = torch.device(device)
    dtype = default_dtype(device) if dtype is None else dtype
    keep_fp8 = multiplies_fp8(device) if keep_fp8 is None else keep_fp8
    reader = TensorReader(device) if reader is None else reader
    entries = read_index(config.folder)
    language = part(entries, "language")
    settings = _with_vocabulary(config.language, language)
    table = tensor_table(settings)
    named = match_names(language, table)

    tensors: dict[str, torch.Tensor] = {}
    linears: dict[str, Linear] = {}
    formats: dict[str, Format] = {}
    for name, entry in sorted(named.tensors.items(), key=lambda item: (item[1].path, item[1].offset)):
        role, beside = table[name].role, named.companions.get(name, {})
        if role is Role.LINEAR:
            formats[entry.name] = stored_format(entry, beside)
            linears[name] = read_matrix(reader, entry, beside, dtype, keep_fp8=keep_fp8)
        else:
            tensors[name] = read_plain(reader, entry, torch.float32 if role is Role.FLOAT32 else dtype)
    model = LanguageModel.build(settings, Weights(tensors, linears))

    excluded = disagreements(config.folder, [name for name, stored in formats.items() if stored != "full"])
    if excluded:
        logger.warning(
            "%s: %d modules are quantised although hf_quant_config.json excludes them, %s among them; the tensors count",
            config.folder,
            len(excluded),
            excluded[0],
        )
    kinds: tuple[Format, ...] = ("full", "fp8", "nvfp4")
    counts = {kind: sum(stored == kind for stored in formats.values()) for kind in kinds}
    others = {name: len(part(entries, name)) for name in PARTS if name != "language"}
    return model, LoadReport(counts, keep_fp8, named.unused, excluded, others)


def _with_vocabulary(settings: LanguageSettings, language: Mapping[str, TensorEntry]) -> LanguageSettings:
    """The embedding's rows are the vocabulary, whatever `config.json` says: it was padded after the fact."""
    for name, entry in language.items():
        if own_name(name) == "embeddings.weight" and len(entry.shape) == 2:
            return replace(settings, vocab_size=entry.shape[0])
    return settings
