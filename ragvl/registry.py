"""
The tables of parts that can be chosen by name; nothing is guessed from a name.

A package adds its own through the entry-point group "ragvl", with names such as "text_encoder:mine".
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from ragvl.errors import ConfigError, MissingExtraError

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "reader": {
        "pymupdf": "ragvl.indexers.readers.mupdf:MuPdfReader",
        "image": "ragvl.indexers.readers.image:ImageReader",
        "text": "ragvl.indexers.readers.text:TextReader",
        "office": "ragvl.indexers.readers.office:OfficeReader",
    },
    "text_encoder": {
        "granite-embedding-30m-english": "ragvl.indexers.encoders.embedded:EmbeddedTextEncoder",
    },
    "page_encoder": {
        "multi-vector": "ragvl.indexers.encoders.vision.multi_vector:MultiVectorPageEncoder",
        "single-vector": "ragvl.indexers.encoders.vision.single_vector:SingleVectorPageEncoder",
    },
    "reranker": {
        "cross-encoder": "ragvl.retrievers.reranking.cross_encoder:CrossEncoderReranker",
    },
    "generator": {
        "endpoint": "ragvl.generator.endpoint.generator:EndpointGenerator",
        "extractive": "ragvl.generator.extractive:ExtractiveGenerator",
        "nemotron": "ragvl.generator.nemotron.generator:NemotronGenerator",
    },
    "eval_system": {
        "bm25": "ragvl.evals.systems.bm25:Bm25System",
        "dense": "ragvl.evals.systems.dense:DenseSystem",
        "llama-index": "ragvl.evals.systems.llama_index:LlamaIndexSystem",
        "ragvl": "ragvl.evals.systems.ragvl:RagvlSystem",
    },
}


def names(kind: str) -> tuple[str, ...]:
    """Names that `load(kind, name)` knows, sorted."""
    return tuple(sorted(_table(kind)))


def load(kind: str, name: str) -> Any:
    """
    Import the class registered as `name` among the parts of one kind.

    Raises:
        ConfigError: no such name, or two packages registered it.
        MissingExtraError: the part needs a package that is not installed.
    """
    table = _table(kind)
    if name not in table:
        raise ConfigError(f"no {kind.replace('_', ' ')} named {name!r}; known: {', '.join(sorted(table))}")
    module_name, _, class_name = table[name].partition(":")
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{kind.replace('_', ' ')} {name!r} needs the package {error.name!r}: pip install {error.name}"
        ) from error


def _table(kind: str) -> dict[str, str]:
    table = dict(BUILT_IN[kind])
    for point in entry_points(group="ragvl"):
        point_kind, _, name = point.name.partition(":")
        if point_kind != kind:
            continue
        if name in table:
            raise ConfigError(f"{kind} {name!r} is registered twice: {table[name]} and {point.value}")
        table[name] = point.value
    return table
