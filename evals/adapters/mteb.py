"""
ragvl as a whole, or any system, as a model of mteb (2.26 or later): what mteb calls a search model.

    import mteb
    from ragvl.evals.adapters.mteb import RagvlSearch

    results = mteb.evaluate(RagvlSearch("work"), mteb.get_tasks(["Vidore3HrRetrieval"]))

mteb hands over the corpus and the queries, and scores what is found; pages are indexed in the folder `work` as
documents are. A query that finds nothing is handed back with nothing, since mteb leaves out those that are missing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ragvl import __version__
from ragvl.evals.adapters.corpus import corpus_of_pages
from ragvl.evals.systems.baseline import best_pages
from ragvl.evals.systems.optional import require
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import EvalQuery, IndexingFigures, System

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["RagvlSearch", "Rows", "SystemSearch"]


class Rows(Protocol):
    """What is asked of a `datasets.Dataset`."""

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any) -> Any: ...

    def select_columns(self, column_names: list[str]) -> Any:
        """Leave other columns out."""


class SystemSearch:
    """
    Any system behind mteb's `SearchProtocol`.

    Attributes:
        figures: what indexing the latest corpus cost; None before.
    """

    def __init__(self, system: System, meta: Mapping[str, object] | None = None) -> None:
        """
        Wrap a system.

        Args:
            system: indexes one corpus after the other.
            meta: fields of mteb's `ModelMeta` that are known of it; the others say "unknown".
        """
        self._system = system
        self._meta = dict(meta or {})
        self._pages = 0
        self.figures: IndexingFigures | None = None

    def index(self, corpus: Rows, *, task_metadata: Any, hf_split: str, **_: object) -> None:
        """Index a corpus of pages: images, texts, or both; of texts with a title, the title comes first."""
        self._system.close()
        columns = set(corpus.column_names)
        ids = [str(page) for page in corpus["id"]]
        images = [partial(_image, corpus, row) if "image" in columns else None for row in range(len(ids))]
        self._pages = len(ids)
        self.figures = self._system.index(
            corpus_of_pages(
                # Subsets that differ in the language of their queries hold the same corpus, which is indexed once.
                f"{task_metadata.name}-{hf_split}",
                ids,
                images,
                _texts(corpus, columns),
                _image_digest(corpus) if "image" in columns else "text",
            )
        )

    def search(
        self,
        queries: Rows,
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **_: object,
    ) -> dict[str, dict[str, float]]:
        """
        Search for every query.

        Args:
            top_ranked: the only pages that each query may find, in tasks of reranking; of them those are found that
                the system finds in the whole corpus.

        Returns:
            Query id to page id to score.

        Raises:
            ValueError: queries that are not texts.
        """
        if "text" not in queries.column_names:
            raise ValueError(f"queries are texts here, and these are {', '.join(queries.column_names)}")
        found: dict[str, dict[str, float]] = {}
        for row in range(len(queries)):
            query = queries[row]
            asked = EvalQuery(str(query["id"]), _query_text(query))
            if top_ranked is None:
                found[asked.id] = dict(self._system.search(asked, top_k))
                continue
            allowed = set(top_ranked.get(asked.id, ()))
            scores = self._system.search(asked, self._pages)
            found[asked.id] = best_pages({page: scores[page] for page in scores if page in allowed}, top_k)
        return found

    @property
    def mteb_model_meta(self) -> Any:
        """mteb's `ModelMeta`: what is known of the system as a model; a fresh one, since mteb may change it."""
        library = require("mteb.models.model_meta", "mteb")
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self._system.name).strip("-")
        known = {"name": f"ragvl/{name}", "revision": __version__, "modalities": ["text"], **self._meta}
        required = [name for name, field in library.ModelMeta.model_fields.items() if field.is_required()]
        return library.ModelMeta(**{**dict.fromkeys(required), "framework": [], **known})


class RagvlSearch(SystemSearch):
    """ragvl under one configuration, through its library as users call it."""

    def __init__(
        self,
        work: str | Path,
        profile: str | None = None,
        settings: Mapping[str, object] | None = None,
        read: str = "auto",
    ) -> None:
        """
        Set ragvl up.

        Args:
            work: folder for indexes and page files, which are kept.
            profile: a preset of ragvl, or a YAML file.
            settings: laid over the profile, nested.
            read: "images", "text", or "auto" for the images where there are any.

        Raises:
            ConfigError: an unknown profile or setting.
        """
        from ragvl.evals.systems.ragvl import RagvlSystem

        options = SystemOptions(Path(work), profile=profile, settings=settings or {}, read=read)
        given = {
            "profile": profile,
            "settings": dict(settings or {}),
            "read": read if read != "auto" else None,
        }
        super().__init__(
            RagvlSystem(options), _ragvl_meta({key: value for key, value in given.items() if value})
        )


def _ragvl_meta(given: Mapping[str, object]) -> dict[str, object]:
    """
    What is known of ragvl as a model.

    Sizes, dimensions and training data are those of an encoder, of which a system may have none, one or several: they
    are left unknown. What was set other than usual names the experiment, so that mteb keeps its results apart.
    """
    return {
        "license": "apache-2.0",
        "open_weights": True,
        "model_type": ["hybrid"],
        "modalities": ["text", "image"],
        "experiment_kwargs": dict(given) or None,
    }


def _image(corpus: Rows, row: int) -> Image:
    image: Image = corpus[row]["image"].convert("RGB")
    return image


def _image_digest(corpus: Rows) -> str:
    """SHA-256 over the image files of a corpus, as they are stored."""
    library = require("datasets", "mteb")
    digest = hashlib.sha256()
    for row in corpus.select_columns(["image"]).cast_column("image", library.Image(decode=False)):
        stored = row["image"] or {}
        content = stored.get("bytes")
        if content is None and stored.get("path"):
            content = Path(stored["path"]).read_bytes()
        digest.update(hashlib.sha256(content or b"").digest())
    return digest.hexdigest()


def _texts(corpus: Rows, columns: set[str]) -> list[str]:
    """The text of every page, with its title before it as mteb's own models read it."""
    if "text" not in columns:
        return [""] * len(corpus)
    texts = [text or "" for text in corpus["text"]]
    if "title" not in columns:
        return texts
    return [f"{title or ''} {text}".strip() for title, text in zip(corpus["title"], texts, strict=True)]


def _query_text(row: Mapping[str, Any]) -> str:
    """The text of a query with its instruction, or the turns of a conversation, as mteb joins them."""
    text = row["text"]
    if isinstance(text, str):
        return f"{text} {row['instruction']}" if row.get("instruction") else text
    turns = [turn if isinstance(turn, str) else f"{turn['role']}: {turn['content']}" for turn in text]
    joined = "; ".join(turns)
    return f"{row['instruction']} {joined}" if row.get("instruction") else joined
