"""What ViDoRe's pipeline board says of a pipeline: results/pipeline_descriptions/<pipeline>/description.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ragvl.config import Config, load_config
from ragvl.evals.machine import describe_machine

__all__ = ["PipelineDescription", "PipelineNode", "describe_ragvl", "write_description"]

_LEXICAL, _DENSE, _IMAGE = "lexical_node", "dense_node", "image_node"
_FUSION, _RERANKER = "fusion_node", "reranker_node"


@dataclass(frozen=True, slots=True)
class PipelineNode:
    """
    A part of a pipeline.

    Attributes:
        id: such as "retriever_node".
        component_type: "Ingestion", "Retriever", "Reranker" and the like.
        model_name: what does the work.
        modalities: "text", "visual".
        description: one sentence.
        feeds: ids of the nodes that take what it makes.
    """

    id: str
    component_type: str
    model_name: str
    modalities: tuple[str, ...]
    description: str
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineDescription:
    """
    What the board says of a pipeline.

    Attributes:
        name: of its folders on the board.
        alias: shown in place of the name.
        description: one sentence.
        nodes: in the order in which data flow.
        gpu, gpus: type and number; "none" and 0 for a processor alone.
    """

    name: str
    alias: str
    description: str
    nodes: tuple[PipelineNode, ...]
    gpu: str = "none"
    gpus: int = 0


def describe_ragvl(
    name: str,
    profile: str | None = None,
    settings: Mapping[str, object] | None = None,
    read: str = "auto",
) -> PipelineDescription:
    """
    Describe ragvl as `RagvlPipeline` sets it up with the same arguments.

    Raises:
        ConfigError: an unknown profile or setting.
    """
    config = load_config(profile or "embedded", settings)
    from_text = read == "text"
    source = "the Markdown of the corpus" if from_text else "page images by OCR"
    nodes = (_ingestion(config, from_text=from_text, source=source), *_lanes(config), *_ranking(config))
    ways = "by words and by vectors of passages"
    if config.image.encoder:
        ways = "by words, by vectors of passages and by vectors of page images"
    said = f"Reads {source}; finds pages {ways}, and fuses the scores. No language model."
    return PipelineDescription(name, f"ragvl ({config.profile})", said, nodes)


def _ingestion(config: Config, *, from_text: bool, source: str) -> PipelineNode:
    image = (_IMAGE,) if config.image.encoder else ()
    return PipelineNode(
        "ingestion_node",
        "Ingestion",
        "none" if from_text else f"RapidOCR ({config.reading.ocr.engine})",
        ("text",) if from_text else ("visual",),
        f"Reads {source} and cuts pages into passages of about {config.passages.target_words} words.",
        (_LEXICAL, _DENSE, *image),
    )


def _lanes(config: Config) -> list[PipelineNode]:
    most = f"Finds up to {config.retrieval.candidates} pages"
    lanes = [
        PipelineNode(
            _LEXICAL, "Retriever", "BM25 (SQLite FTS5)", ("text",), f"{most} by their words.", (_FUSION,)
        ),
        PipelineNode(
            _DENSE,
            "Retriever",
            config.text.encoder,
            ("text",),
            f"{most} by the vectors of their passages.",
            (_FUSION,),
        ),
    ]
    if config.image.encoder:
        seen = ("visual", "text") if config.image.text else ("visual",)
        said = f"{most} by the vectors of their images{' and text' if config.image.text else ''}."
        lanes.append(PipelineNode(_IMAGE, "Retriever", config.image.model, seen, said, (_FUSION,)))
    return lanes


def _ranking(config: Config) -> list[PipelineNode]:
    weights, rerank = config.retrieval, config.retrieval.rerank
    image = f", page images by {weights.image_weight:g}" if config.image.encoder else ""
    combined = {
        "convex": "convex combination of normalised scores",
        "ranks": "reciprocal rank fusion",
    }
    said = f"Weighs words by {weights.lexical_weight:g} and vectors by {weights.text_weight:g}{image}."
    feeds = (_RERANKER,) if rerank.model else ()
    nodes = [PipelineNode(_FUSION, "Fusion", combined[weights.fusion], ("text",), said, feeds)]
    if rerank.model:
        seen = {"text": ("text",), "image": ("visual",), "both": ("visual", "text")}[rerank.kind]
        said = f"Puts the best {rerank.candidates} pages into a new order."
        nodes.append(PipelineNode(_RERANKER, "Reranker", rerank.model, seen, said))
    return nodes


def write_description(folder: Path, pipeline: PipelineDescription) -> Path:
    """
    Write a description where the board looks for it, with the hardware of this machine.

    Args:
        folder: a checkout of the board's repository, or any folder.

    Returns:
        The file.
    """
    machine = describe_machine()
    document = {
        "pipeline_name": pipeline.name,
        "pipeline_alias": pipeline.alias,
        "description": pipeline.description,
        "module_path": "ragvl/evals/adapters/vidore.py",
        "class_name": "RagvlPipeline",
        "hardware_information": {
            "GPU_type": pipeline.gpu,
            "num_gpus": pipeline.gpus,
            "num_cpu_cores": int(machine["cores"]),
            "RAM": machine["memory"],
        },
        "nodes": [
            {
                "id": node.id,
                "component_type": node.component_type,
                "model_name": node.model_name,
                "modalities": list(node.modalities),
                "description": node.description,
            }
            for node in pipeline.nodes
        ],
        "edges": [
            {"source": node.id, "target": target, "description": f"{target} takes what {node.id} makes."}
            for node in pipeline.nodes
            for target in node.feeds
        ],
    }
    path = folder / "results" / "pipeline_descriptions" / pipeline.name / "description.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=4) + "\n", "utf-8")
    return path
