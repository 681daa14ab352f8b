"""A sentence-transformers encoder over pieces of pages, and an exact FAISS index."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ragvl.errors import ConfigError, ModelFileError
from ragvl.evals.systems.baseline import Settings, TextBaseline, parse_settings
from ragvl.evals.systems.optional import require
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.systems.page_texts import PageText, page_texts
from ragvl.evals.types import EvalSet

__all__ = ["DenseSettings", "DenseSystem", "load_encoder", "loading", "model_fingerprint", "token_counter"]

_VECTORS = "vectors.npy"
_PIECES = "pieces.json"


class DenseSettings(Settings):
    """
    Which encoder, and what it is given.

    Attributes:
        model: a folder, or a name that sentence-transformers can download.
        chunk_tokens: a page is cut into pieces of so many tokens of the model, or fewer where it reads fewer.
        overlap: what neighbouring pieces have in common, as a share of a piece.
        batch: pieces encoded at a time.
        device: "cpu", "cuda"; None leaves it to sentence-transformers.
    """

    model: str
    chunk_tokens: int = Field(256, ge=8)
    overlap: float = Field(0.125, ge=0, le=0.5)
    batch: int = Field(32, ge=1)
    device: str | None = None


class DenseSystem(TextBaseline):
    """
    The score of a page is that of its best piece: cosine, or the dot product for a model that is made for it.

    Prompts that the model comes with are put before queries and pieces.
    """

    kind = "dense"
    packages = ("sentence-transformers", "transformers", "torch", "faiss-cpu")

    def __init__(self, options: SystemOptions) -> None:
        """
        Take the options.

        Raises:
            ConfigError: unknown settings, or no model.
        """
        super().__init__(options)
        self._settings = parse_settings(DenseSettings, options.settings, self.kind)
        self._model: Any = None
        self._cutter: Any = None
        self._fingerprint = ""
        self._index: Any = None
        self._pages: list[str] = []
        self._of_document: dict[str, list[int]] = {}
        self._most_pieces = 0

    @property
    def name(self) -> str:
        """Name the model too."""
        return f"{self.kind} {Path(self._settings.model).name}"

    def _configuration(self) -> Mapping[str, object]:
        self._prepare()
        return {
            "settings": self._settings.model_dump(exclude={"batch", "device"}),
            "model": self._fingerprint,
            "similarity": self._model.similarity_fn_name,
        }

    def _prepare(self) -> None:
        if self._model is None:
            self._model = load_encoder(self._settings.model, self._settings.device)
            self._cutter = token_counter(self._settings.model, self._model)
            self._fingerprint = model_fingerprint(self._settings.model, self._model)

    def _build(self, corpus: EvalSet, folder: Path) -> tuple[str, ...]:
        units, failed = page_texts(corpus, self._read)
        if not units:
            raise ValueError(f"dense reads text, and no page of {corpus.name!r} has any")
        pieces = [(unit, piece) for unit in units for piece in self._pieces(unit)]
        vectors = self._model.encode_document(
            [piece for _, piece in pieces],
            batch_size=self._settings.batch,
            normalize_embeddings=self._is_cosine,
            show_progress_bar=False,
        )
        np.save(folder / _VECTORS, np.asarray(vectors, dtype=np.float32))
        owners = [[unit.page, unit.document] for unit, _ in pieces]
        (folder / _PIECES).write_text(json.dumps(owners), "utf-8")
        return failed

    def _open(self, folder: Path) -> None:
        self._prepare()
        vectors = np.load(folder / _VECTORS)
        owners = json.loads((folder / _PIECES).read_text("utf-8"))
        self._pages = [page for page, _ in owners]
        self._of_document = {}
        for place, (_, document) in enumerate(owners):
            self._of_document.setdefault(document, []).append(place)
        self._most_pieces = max(Counter(self._pages).values())
        self._index = require("faiss", "baselines").IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def _scores(self, query: str, k: int, document: str) -> Mapping[str, float]:
        faiss = require("faiss", "baselines")
        places = self._of_document.get(document, []) if document else range(len(self._pages))
        # No page has more pieces than this, so that k pages are among them.
        depth = min(len(places), k * self._most_pieces)
        if not depth:
            return {}
        vector = self._model.encode_query(
            [query], normalize_embeddings=self._is_cosine, show_progress_bar=False
        )
        chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(places)) if document else None
        found = self._index.search(np.asarray(vector, dtype=np.float32), depth, params=chosen)
        scores: dict[str, float] = {}
        for score, place in zip(found[0][0].tolist(), found[1][0].tolist(), strict=True):
            scores.setdefault(self._pages[place], score)  # best first
        return scores

    @property
    def _is_cosine(self) -> bool:
        return bool(self._model.similarity_fn_name == "cosine")

    def _pieces(self, unit: PageText) -> Iterator[str]:
        """Runs of tokens as the model counts them, as they stand in the text."""
        spans = self._cutter.encode(unit.text, add_special_tokens=False).offsets
        prompts = self._model.prompts
        prompt = prompts.get("document") or prompts.get("passage") or prompts.get("corpus") or ""
        taken = len(self._cutter.encode(prompt).ids)  # with the tokens that mark beginning and end
        room = (self._model.max_seq_length or math.inf) - taken
        length = int(max(1, min(self._settings.chunk_tokens, room)))
        step = max(1, length - int(length * self._settings.overlap))
        if not spans:
            yield unit.text
            return
        for start in range(0, max(1, len(spans) - (length - step)), step):
            piece = spans[start : start + length]
            yield unit.text[piece[0][0] : piece[-1][1]]


def load_encoder(model: str, device: str | None) -> Any:
    """
    Load a sentence-transformers model.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelFileError: there is no such model, or it cannot be read.
        ConfigError: a model that this baseline cannot use.
    """
    library = require("sentence_transformers", "baselines")
    with loading(model):
        encoder = library.SentenceTransformer(model, device=device)
    if encoder.similarity_fn_name not in ("cosine", "dot"):
        raise ConfigError(f"{model!r} compares by {encoder.similarity_fn_name}; dense knows cosine and dot")
    return encoder


def token_counter(model: str, encoder: Any) -> Any:
    """
    The tokenizer of an encoder, without its limits on length.

    Raises:
        ConfigError: it has none of the fast kind.
    """
    tokenizers = require("tokenizers", "baselines")
    fast = getattr(encoder.tokenizer, "backend_tokenizer", encoder.tokenizer)
    if not isinstance(fast, tokenizers.Tokenizer):
        raise ConfigError(f"{model!r} has no fast tokenizer, which dense needs to cut pages into pieces")
    counter = tokenizers.Tokenizer.from_str(fast.to_str())
    counter.no_truncation()
    counter.no_padding()
    return counter


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Turn what goes wrong in the block into a ModelFileError that says what to do."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{model!r} cannot be loaded as a sentence-transformers model: {error}\n"
            "Give a folder that holds one, or a name that can be downloaded from here."
        ) from error


def model_fingerprint(name: str, encoder: Any) -> str:
    """SHA-256 over the files of a model in a folder; the commit of a model that was downloaded, "" when unknown."""
    folder = Path(name)
    if not folder.is_dir():
        config = getattr(getattr(encoder[0], "auto_model", None), "config", None)
        return str(getattr(config, "_commit_hash", None) or "")
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
