"""Pages and queries as one vector each."""

from __future__ import annotations

import numpy as np
import pytest

from ragvl.config import ImageConfig
from ragvl.errors import ModelFileError
from ragvl.indexers.encoders.vision import SingleVectorPageEncoder
from ragvl.protocols import PageEncoder, PageView, VectorSource
from tests.indexers.encoders.vision.conftest import SINGLE_VECTOR, Checkpoint, Encoder, make_page

FLOAT_NOISE = 2e-5


@pytest.mark.parametrize("name", SINGLE_VECTOR)
def test_a_page_is_one_vector(name: str, encoder: Encoder, pages: list[PageView]) -> None:
    """Its source is the image, its box the page; a query's span is its text."""
    reader: PageEncoder = encoder(name)
    assert not reader.late_interaction
    for bag, page in zip(reader.encode_pages(pages), pages, strict=True):
        assert bag.vectors.shape == (1, reader.dimension) and bag.vectors.dtype == np.float32
        assert np.linalg.norm(bag.vectors) == pytest.approx(1, abs=1e-5)
        assert bag.sources.tolist() == [VectorSource.IMAGE]
        assert bag.boxes_pt.tolist() == [[0, 0, page.width_pt, page.height_pt]]
    query = reader.encode_queries(["  tide and water "])[0]
    assert query.vectors.shape == (1, reader.dimension) and query.spans == ((2, 16),)


@pytest.mark.parametrize("name", SINGLE_VECTOR)
def test_vectors_are_those_of_sentence_transformers(
    name: str, encoder: Encoder, checkpoint: Checkpoint, pages: list[PageView]
) -> None:
    """Images, images with text where the model takes both, and queries."""
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(checkpoint(name)), device="cpu", local_files_only=True)
    ours = encoder(name, text=False, max_side_px=4096).encode_pages(pages)
    images = [page.image for page in pages]
    expected = theirs.encode_document(images, batch_size=1, normalize_embeddings=True)
    assert np.allclose(np.concatenate([bag.vectors for bag in ours]), expected, atol=FLOAT_NOISE)
    page = make_page(400, 528, "revenue by quarter")
    both = encoder(name, max_side_px=4096).encode_pages([page])[0].vectors
    seen = {"image": page.image, "text": page.text} if theirs.supports(("image", "text")) else page.image
    assert np.allclose(both, theirs.encode_document([seen], normalize_embeddings=True), atol=FLOAT_NOISE)
    asked = ["tide", "a longer question about shore charging"]
    found = np.concatenate([query.vectors for query in encoder(name).encode_queries(asked)])
    assert np.allclose(found, theirs.encode_query(asked, normalize_embeddings=True), atol=FLOAT_NOISE)


def test_text_changes_the_vector_where_the_model_reads_it(encoder: Encoder) -> None:
    """A model for both at once is shown both, unless `text` is off; CLIP is shown the image."""
    plain, written = make_page(256, 256), make_page(256, 256, "revenue by quarter")
    both, image = (encoder("tiny_single_vector", text=text) for text in (True, False))
    assert not np.allclose(
        both.encode_pages([plain])[0].vectors, both.encode_pages([written])[0].vectors, atol=1e-3
    )
    for reader in (image, encoder("tiny_clip")):
        one, other = (reader.encode_pages([page])[0].vectors for page in (plain, written))
        assert np.allclose(one, other, atol=FLOAT_NOISE)


@pytest.mark.parametrize("name", SINGLE_VECTOR)
def test_results_do_not_depend_on_the_batch(name: str, encoder: Encoder, pages: list[PageView]) -> None:
    """A page or query encoded with others gets the vector that it gets alone."""
    reader = encoder(name)
    for together, page in zip(reader.encode_pages(pages), pages, strict=True):
        assert np.allclose(together.vectors, reader.encode_pages([page])[0].vectors, atol=FLOAT_NOISE)
    asked = ["tide", "a longer question about shore charging", ""]
    for together, text in zip(reader.encode_queries(asked), asked, strict=True):
        assert np.allclose(together.vectors, reader.encode_queries([text])[0].vectors, atol=FLOAT_NOISE)


def test_matryoshka_cuts_and_scales(encoder: Encoder, pages: list[PageView]) -> None:
    """`dimension` keeps the first numbers, at unit length."""
    whole, cut = (
        encoder("tiny_clip", dimension=wanted).encode_pages(pages)[0].vectors for wanted in (None, 8)
    )
    assert np.allclose(cut, whole[:, :8] / np.linalg.norm(whole[:, :8]), atol=FLOAT_NOISE)


def test_a_long_query_is_cut_where_the_model_ends(encoder: Encoder) -> None:
    """What CLIP's 40 tokens do not hold is left out, without an error."""
    found = encoder("tiny_clip").encode_queries(["tide and water " * 50])[0]
    assert np.isfinite(found.vectors).all()


def test_late_interaction_models_are_refused(checkpoint: Checkpoint) -> None:
    """A model that makes many vectors is not pooled into one."""
    for name in ("tiny_colqwen2", "tiny_multi_vector"):
        reader = SingleVectorPageEncoder(ImageConfig(encoder="test", model=str(checkpoint(name))))
        with pytest.raises(ModelFileError, match="image.encoder: multi-vector"):
            reader.encode_queries(["tide"])
