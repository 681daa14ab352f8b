"""What ViDoRe's pipeline board says of a pipeline: results/pipeline_descriptions/<pipeline>/description.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ragvl.config import load_config
from ragvl.evals.machine import describe_machine

__all__ = ["PipelineDescription", "PipelineNode", "describe_ragvl", "write_description"]


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
    fusion, weights = "fusion_node", config.retrieval
    from_text = read == "text"
    source = "the Markdown of the corpus" if from_text else "page images by OCR"
    nodes = (
        PipelineNode(
            "ingestion_node",
            "Ingestion",
            "none" if from_text else f"RapidOCR ({config.reading.ocr.engine})",
            ("text",) if from_text else ("visual",),
            f"Reads {source} and cuts pages into passages of about {config.passages.target_words} words.",
            ("lexical_node", "dense_node"),
        ),
        PipelineNode(
            "lexical_node",
            "Retriever",
            "BM25 (SQLite FTS5)",
            ("text",),
            f"Finds up to {weights.candidates} pages by their words.",
            (fusion,),
        ),
        PipelineNode(
            "dense_node",
            "Retriever",
            config.text.encoder,
            ("text",),
            f"Finds up to {weights.candidates} pages by the vectors of their passages.",
            (fusion,),
        ),
        PipelineNode(
            fusion,
            "Fusion",
            "convex combination of normalised scores",
            ("text",),
            f"Weighs words by {weights.lexical_weight:g} and vectors by {weights.text_weight:g}.",
        ),
    )
    said = f"Reads {source}; finds pages by words and by vectors of passages, and fuses the scores. No language model."
    return PipelineDescription(name, f"ragvl ({config.profile})", said, nodes)


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
