"""
ragvl in ViDoRe's pipeline framework, whose board ranks whole systems on the corpora of ViDoRe v3.

In an environment that has ragvl and the framework (a checkout of illuin-tech/vidore-benchmark; the package of that
name on PyPI is older and lacks it):

    vidore-benchmark pipeline evaluate --dataset-name vidore/vidore_v3_hr --language english \\
        --module-path "$(python -c 'import ragvl.evals.adapters.vidore as module; print(module.__file__)')" \\
        --class-name RagvlPipeline --pipeline-args '{"work": "work"}'

The framework only loads subclasses of its `BasePipeline`. ragvl cannot inherit from a class of a package that is on no
index, and needs nothing of it, so that `RagvlPipeline` has the same two methods and is registered as a subclass when
the framework is there: it is always imported before it loads a pipeline. Without it, `vidore_results` writes the same
files from an evaluation of ragvl's own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.evals.adapters.corpus import corpus_of_pages
from ragvl.evals.adapters.vidore_results import SearchInfos, search_infos
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import EvalQuery, IndexingFigures, System

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["RagvlPipeline"]

_FRAMEWORK = "vidore_benchmark.pipeline_evaluation.base_pipeline"


class RagvlPipeline:
    """
    ragvl, or another system, as a pipeline of the framework.

    Attributes:
        figures: what indexing the latest corpus cost; None before.
    """

    def __init__(
        self,
        work: str = ".ragvl-eval",
        profile: str | None = None,
        settings: Mapping[str, object] | None = None,
        read: str = "auto",
        k: int = 100,
        system: System | None = None,
    ) -> None:
        """
        Set ragvl up; all but `system` are JSON values, since the framework takes them from its command line.

        Args:
            work: folder for indexes and page files, which are kept.
            profile: a preset of ragvl, or a YAML file.
            settings: laid over the profile, nested.
            read: "images", "text" for the Markdown that the datasets come with, or "auto" for the images.
            k: pages that a query may find; the board looks at 100.
            system: taken in place of ragvl.

        Raises:
            ConfigError: an unknown profile or setting.
        """
        self._system = system or _ragvl(SystemOptions(Path(work), profile, settings or {}, read=read))
        self._k = k
        self.figures: IndexingFigures | None = None

    def index(
        self,
        corpus_ids: Sequence[str],
        corpus_images: Sequence[Image],
        corpus_texts: Sequence[str | None],
        dataset_name: str | None = None,
    ) -> None:
        """
        Index a corpus.

        Args:
            corpus_ids: page ids.
            corpus_images: PIL images, one a page; opened one at a time.
            corpus_texts: Markdown, one a page; None for a page without.
            dataset_name: such as "vidore/vidore_v3_hr".
        """
        images = [partial(_image, corpus_images, place) for place in range(len(corpus_ids))]
        self._system.close()
        self.figures = self._system.index(
            corpus_of_pages(
                (dataset_name or "vidore").rpartition("/")[2],
                [str(page) for page in corpus_ids],
                images,
                [text or "" for text in corpus_texts],
            )
        )

    def search(
        self, query_ids: Sequence[str], queries: Sequence[str]
    ) -> tuple[dict[str, dict[str, float]], SearchInfos]:
        """
        Search for every query.

        Returns:
            Query id to page id to score, {} for a query that finds nothing; and figures that the board shows as
            `infos`.

        Raises:
            RuntimeError: nothing was indexed yet.
        """
        if self.figures is None:
            raise RuntimeError("index a corpus first")
        found: dict[str, dict[str, float]] = {}
        spent_s = []
        for query, text in zip(query_ids, queries, strict=True):
            started = time.perf_counter()
            found[query] = dict(self._system.search(EvalQuery(query, text), self._k))
            spent_s.append(time.perf_counter() - started)
        return found, search_infos(self.figures, spent_s)


def _ragvl(options: SystemOptions) -> System:
    from ragvl.evals.systems.ragvl import RagvlSystem

    return RagvlSystem(options)


def _image(images: Sequence[Image], place: int) -> Image:
    """A copy, for images that come in a list are not ours to close."""
    return images[place].convert("RGB")


def _register() -> None:
    """Make the framework see a subclass of its base class, if it is there."""
    framework = sys.modules.get(_FRAMEWORK)
    if framework is not None:
        framework.BasePipeline.register(RagvlPipeline)


_register()
