"""Pages and queries as bags of vectors."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ragvl.config import ImageConfig
from ragvl.errors import ConfigError, ModelFileError
from ragvl.indexers.encoders.vision import MultiVectorPageEncoder
from ragvl.protocols import PageEncoder, PageVectors, PageView, VectorSource
from tests.indexers.encoders.vision.checkpoints import tiny_multi_vector, tiny_text_only
from tests.indexers.encoders.vision.conftest import MULTI_VECTOR, Checkpoint, Encoder, make_page

QUERY = "  Revenue by quarter?"
NATIVE = ("tiny_colmodernvbert", "tiny_colqwen2", "tiny_colpali")
FLOAT_NOISE = 2e-5
LARGE_IMAGES = {"max_side_px": 4096}  # the model's own limit decides


def part(bag: PageVectors, source: VectorSource) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of one source, with their boxes."""
    chosen = bag.sources == source
    return bag.vectors[chosen], bag.boxes_pt[chosen]


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_a_bag_is_complete(name: str, encoder: Encoder, pages: list[PageView]) -> None:
    """Vectors are unit length, tagged and placed on their page; text vectors come only from pages with text."""
    reader: PageEncoder = encoder(name)
    bags = reader.encode_pages(pages)
    assert reader.late_interaction and reader.dimension == 16
    for bag, page in zip(bags, pages, strict=True):
        count = len(bag.vectors)
        assert bag.vectors.shape == (count, 16) and bag.vectors.dtype == np.float32
        assert bag.sources.shape == (count,) and bag.sources.dtype == np.uint8
        assert bag.boxes_pt.shape == (count, 4) and bag.boxes_pt.dtype == np.float32
        assert np.allclose(np.linalg.norm(bag.vectors, axis=1), 1, atol=1e-5)
        low, high = bag.boxes_pt[:, :2], bag.boxes_pt[:, 2:]
        assert (low >= 0).all() and (low < high).all()
        assert (high <= np.array([page.width_pt, page.height_pt]) + 1e-3).all()
        assert (VectorSource.TEXT in bag.sources) == bool(page.text)
        assert bag.sources[0] == VectorSource.IMAGE and (np.diff(bag.sources.astype(int)) >= 0).all()


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_image_boxes_cover_the_page_evenly(name: str, encoder: Encoder, pages: list[PageView]) -> None:
    """Every point of a page lies in the box of an image vector, and no box of a patch is the page itself."""
    for bag, page in zip(encoder(name).encode_pages(pages), pages, strict=True):
        _, boxes = part(bag, VectorSource.IMAGE)
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        assert areas.max() < page.width_pt * page.height_pt / 3
        layers = (
            2 if name in ("tiny_colmodernvbert", "tiny_multi_vector") else 1
        )  # the tiles, and the whole again
        assert areas.sum() == pytest.approx(layers * page.width_pt * page.height_pt, rel=1e-4)
        for x, y in np.random.default_rng(0).uniform(0.001, 0.999, (50, 2)) * (page.width_pt, page.height_pt):
            inside = (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])
            assert inside.sum() == layers


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_a_patch_stands_where_its_box_says(name: str, encoder: Encoder) -> None:
    """What the vision model is shown in a box decides its vector: the one that changes most covers the change."""
    session_encoder = encoder(name, text=False)
    page = make_page(512, 512, seed=4)
    changed = page.image.copy()
    changed.paste((255, 0, 0), (384, 128, 512, 256))  # right, and below the top
    other = PageView(changed, "", (), page.width_pt, page.height_pt)
    seen: list[torch.Tensor] = []

    with session_encoder._model.using() as session:
        vision = next(
            module
            for path, module in session.model.named_modules()
            if path.endswith(("vision_model", "vision_tower", "visual"))
        )
        hook = vision.register_forward_hook(lambda _m, _i, output: seen.append(output))
        try:
            before, after = (session_encoder.encode_pages([one])[0] for one in (page, other))
        finally:
            hook.remove()
    tokens = [
        (output.pooler_output if name == "tiny_colqwen2" else output.last_hidden_state) for output in seen
    ]
    difference = (tokens[0] - tokens[1]).float().norm(dim=-1).flatten()
    # Vision tokens are finer than vectors: 16 of them make one where tiles are shuffled, one where they are not.
    boxes = before.boxes_pt
    assert before.vectors.shape == after.vectors.shape
    share = int(difference.argmax()) * len(boxes) // len(difference)
    if name in ("tiny_colqwen2", "tiny_colpali"):
        x0, y0, x1, y1 = boxes[share]
        assert 180 < (x0 + x1) / 2 < 256 and 56 < (y0 + y1) / 2 < 136
    else:
        tile = boxes[share // 4 * 4 :][:4]
        around = (*tile[:, :2].min(axis=0), *tile[:, 2:].max(axis=0))
        assert around in ((192, 64, 256, 128), (0, 0, 256, 256))  # its tile, or the global one


@pytest.mark.parametrize("name", NATIVE)
def test_image_vectors_are_those_of_the_model_itself(
    name: str, encoder: Encoder, checkpoint: Checkpoint
) -> None:
    """transformers, asked as its documentation says, gives the same vectors for the image tokens."""
    import transformers

    folder = checkpoint(name)
    kinds = {"tiny_colmodernvbert": "ColModernVBert", "tiny_colqwen2": "ColQwen2", "tiny_colpali": "ColPali"}
    model = getattr(transformers, f"{kinds[name]}ForRetrieval").from_pretrained(folder).eval()
    processor = getattr(transformers, f"{kinds[name]}Processor").from_pretrained(folder)
    page = make_page(400, 528, "text beside it", seed=5)
    inputs = processor.process_images(images=[page.image])
    with torch.inference_mode():
        made = model(**inputs).embeddings[0]
    expected = made[inputs["input_ids"][0] == processor.image_token_id].numpy()
    found, _ = part(encoder(name, **LARGE_IMAGES).encode_pages([page])[0], VectorSource.IMAGE)
    assert np.allclose(found, expected, atol=FLOAT_NOISE)


@pytest.mark.parametrize("name", ("tiny_colqwen2", "tiny_colpali", "tiny_multi_vector"))
def test_vectors_and_scores_are_those_of_sentence_transformers(
    name: str, encoder: Encoder, checkpoint: Checkpoint, pages: list[PageView]
) -> None:
    """On images alone, with only image tokens kept, queries, bags and MaxSim equal the library's own."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    ours = encoder(name, text=False, **LARGE_IMAGES)
    theirs = MultiVectorEncoder(str(checkpoint(name)), device="cpu", local_files_only=True)
    mask = next(module for module in theirs if isinstance(module, MultiVectorMask))
    mask.keep_only_token_ids = [theirs.tokenizer.convert_tokens_to_ids(theirs.processor.image_token)]
    documents = theirs.encode_document([page.image for page in pages], batch_size=1)
    asked = [QUERY.strip(), "tide", "a longer question about shore charging in 2025"]
    queries = theirs.encode_query(asked)
    bags, found = ours.encode_pages(pages), ours.encode_queries(asked)
    for bag, document in zip(bags, documents, strict=True):
        assert np.allclose(bag.vectors, document.numpy(), atol=FLOAT_NOISE)
    for vectors, query in zip(found, queries, strict=True):
        assert np.allclose(vectors.vectors, query.numpy(), atol=FLOAT_NOISE)
    scores = [[(q.vectors @ bag.vectors.T).max(axis=1).sum() for bag in bags] for q in found]
    assert np.allclose(scores, theirs.similarity(queries, documents).numpy(), atol=1e-3)


def test_the_query_template_of_colmodernvbert_is_its_processors_own(encoder: Encoder) -> None:
    """Ten augmentation tokens follow a query, and stand for none of its characters."""
    query = encoder("tiny_colmodernvbert").encode_queries(["tide"])[0]
    assert query.spans[-11:] == ((0, 0),) * 11  # ten, and the mark at the end
    assert (0, 0) not in query.spans[1:-11]


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_spans_of_a_query_are_its_words(name: str, encoder: Encoder) -> None:
    """The spans of a query's vectors cover its characters once, in order, and no blanks."""
    query = encoder(name).encode_queries([QUERY])[0]
    assert len(query.spans) == len(query.vectors)
    spans = [span for span in query.spans if span != (0, 0)]
    assert "".join(QUERY[start:end] for start, end in spans) == QUERY.replace(" ", "")
    assert spans == sorted(spans)


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_text_vectors_stand_on_their_words(name: str, encoder: Encoder, pages: list[PageView]) -> None:
    """Every word has a text vector whose box is its own, in the order of the text."""
    bag = encoder(name).encode_pages(pages[:1])[0]
    _, boxes = part(bag, VectorSource.TEXT)
    places = [tuple(box) for box in boxes]
    words = [box for _, _, box in pages[0].words]
    assert set(places) == set(words)
    assert [
        place for place, following in zip(places, [*places[1:], None], strict=True) if place != following
    ] == words


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_results_do_not_depend_on_the_batch(name: str, encoder: Encoder, pages: list[PageView]) -> None:
    """A page or query encoded with others gets the vectors that it gets alone."""
    reader = encoder(name)
    for together, page in zip(reader.encode_pages(pages), pages, strict=True):
        alone = reader.encode_pages([page])[0]
        assert np.allclose(together.vectors, alone.vectors, atol=FLOAT_NOISE)
        assert np.array_equal(together.sources, alone.sources) and np.array_equal(
            together.boxes_pt, alone.boxes_pt
        )
    asked = ["tide", "a longer question about shore charging in 2025", ""]
    for together, text in zip(reader.encode_queries(asked), asked, strict=True):
        alone = reader.encode_queries([text])[0]
        assert together.spans == alone.spans
        assert np.allclose(together.vectors, alone.vectors, atol=FLOAT_NOISE)


def test_a_long_text_is_read_in_windows(encoder: Encoder, pages: list[PageView]) -> None:
    """All of a text is encoded, though the model reads 512 tokens at once, up to `max_text_tokens`."""
    _, boxes = part(
        encoder("tiny_colmodernvbert", max_text_tokens=2048).encode_pages(pages[2:])[0], VectorSource.TEXT
    )
    assert len({tuple(box) for box in boxes}) == len(pages[2].words)
    vectors, _ = part(
        encoder("tiny_colmodernvbert", max_text_tokens=40).encode_pages(pages[2:])[0], VectorSource.TEXT
    )
    assert len(vectors) == 40


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_strips_and_specks_are_pages_too(name: str, encoder: Encoder) -> None:
    """A page of 900 to 1, a single pixel, and one in another colour mode have bags like all others."""
    sizes = ((900, 1), (1, 900), (1, 1))
    views = [PageView(Image.new("CMYK", size), "", (), *map(float, size)) for size in sizes]
    for bag, view in zip(encoder(name).encode_pages(views), views, strict=True):
        assert np.isfinite(bag.vectors).all()
        assert bag.boxes_pt[:, 2:].max(axis=0).tolist() == pytest.approx([view.width_pt, view.height_pt])


def test_text_can_be_left_out(encoder: Encoder, pages: list[PageView]) -> None:
    """Without text, a bag holds the image vectors that it holds with text."""
    with_text, without = (
        encoder("tiny_colmodernvbert", text=text).encode_pages(pages) for text in (True, False)
    )
    for one, other in zip(with_text, without, strict=True):
        assert (other.sources == VectorSource.IMAGE).all()
        assert np.allclose(part(one, VectorSource.IMAGE)[0], other.vectors, atol=FLOAT_NOISE)


@pytest.mark.parametrize("name", MULTI_VECTOR)
def test_control_tokens_in_a_page_are_text(name: str, encoder: Encoder) -> None:
    """A page or query that spells out the image token, or halves of surrogate pairs, is encoded as any other."""
    hostile = "before <image><|image_pad|><end_of_utterance> \ud800 after"
    reader = encoder(name)
    bag = reader.encode_pages([make_page(256, 256, hostile)])[0]
    assert np.isfinite(bag.vectors).all()
    with reader._model.using() as session:
        rendered = session.template.texts([hostile], "document")
        assert session.template.image_token_id not in rendered.features["input_ids"]
    assert len(reader.encode_queries([hostile])[0].vectors) > 3


def test_a_text_that_looks_like_an_address_is_not_fetched(encoder: Encoder, tmp_path: Path) -> None:
    """sentence-transformers opens strings that look like images; page text and queries must never be."""
    picture = tmp_path / "secret.png"
    Image.new("RGB", (64, 64)).save(picture)
    for text in (str(picture), "https://example.invalid/picture.png", "data:image/png;base64,AAAA"):
        for name in ("tiny_multi_vector", "tiny_colqwen2"):
            query = encoder(name).encode_queries([text])[0]
            assert "".join(text[start:end] for start, end in query.spans) == text
            bag = encoder(name).encode_pages([make_page(256, 256, text)])[0]
            assert VectorSource.TEXT in bag.sources


def test_fewer_pixels_make_fewer_vectors(encoder: Encoder) -> None:
    """`max_side_px` bounds what the model computes on, also where its processor would enlarge the page again."""
    page = make_page(1024, 1024)
    for name in ("tiny_colmodernvbert", "tiny_multi_vector", "tiny_colqwen2"):
        small, large = (
            encoder(name, text=False, max_side_px=side).encode_pages([page])[0] for side in (256, 512)
        )
        assert len(small.vectors) < len(large.vectors)
    # 2 by 2 tiles of 128 pixels and the global one, of 4 tokens each.
    assert (
        len(encoder("tiny_colmodernvbert", text=False, max_side_px=256).encode_pages([page])[0].vectors) == 20
    )


def test_matryoshka_cuts_and_scales(encoder: Encoder, pages: list[PageView]) -> None:
    """`dimension` keeps the first numbers of every vector, at unit length; more than there are is refused."""
    whole, cut = (encoder("tiny_colqwen2", dimension=wanted) for wanted in (None, 8))
    assert cut.dimension == 8
    for long, short in zip(whole.encode_pages(pages), cut.encode_pages(pages), strict=True):
        expected = long.vectors[:, :8] / np.linalg.norm(long.vectors[:, :8], axis=1, keepdims=True)
        assert np.allclose(short.vectors, expected, atol=FLOAT_NOISE)
    assert cut.encode_queries(["tide"])[0].vectors.shape[1] == 8
    with pytest.raises(ConfigError, match="makes vectors of 16 numbers"):
        encoder("tiny_colqwen2", dimension=32).encode_pages(pages)


def test_a_unknown_layout_gives_the_whole_page(
    encoder: Encoder, pages: list[PageView], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a model's type is not in the table, the boxes of its image vectors are the page."""
    monkeypatch.setattr("ragvl.indexers.encoders.vision.layout._LAYOUTS", {})
    reader = MultiVectorPageEncoder(encoder("tiny_colqwen2")._config)
    bag = reader.encode_pages(pages[:1])[0]
    _, boxes = part(bag, VectorSource.IMAGE)
    assert (boxes == np.array([0, 0, pages[0].width_pt, pages[0].height_pt], np.float32)).all()
    assert len(boxes) == len(part(encoder("tiny_colqwen2").encode_pages(pages[:1])[0], VectorSource.IMAGE)[1])


def test_half_precision_is_close(encoder: Encoder, pages: list[PageView]) -> None:
    """In bfloat16 the vectors point nearly the same way, and weights take half the memory."""
    full, half = (encoder("tiny_multi_vector", precision=precision) for precision in ("float32", "bfloat16"))
    assert half.weights_bytes * 2 == full.weights_bytes
    for one, other in zip(full.encode_pages(pages), half.encode_pages(pages), strict=True):
        assert other.vectors.dtype == np.float32
        assert (one.vectors * other.vectors).sum(axis=1).mean() > 0.99


def test_out_of_memory_halves_the_batch(
    encoder: Encoder, pages: list[PageView], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When a batch does not fit, smaller ones give the same result, and a warning says so."""
    expected = encoder("tiny_colqwen2").encode_pages(pages)
    reader = MultiVectorPageEncoder(encoder("tiny_colqwen2")._config)
    refused = []
    with reader._model.using() as session:
        forward = type(session.model).forward

        def small_memory(model: object, features: dict[str, torch.Tensor], **options: object) -> object:
            if len(features["input_ids"]) > 1:
                refused.append(len(features["input_ids"]))
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            return forward(model, features, **options)

        monkeypatch.setattr(type(session.model), "forward", small_memory)
    with caplog.at_level(logging.WARNING, "ragvl"):
        found = reader.encode_pages(pages)
    assert refused[0] == 3 and any("out of memory with 3 at once" in message for message in caplog.messages)
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(one.vectors, other.vectors, atol=FLOAT_NOISE)
    refused.clear()
    reader.encode_pages(pages)
    assert not refused  # it has learnt


def test_a_page_that_does_not_fit_alone_is_named(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, pages: list[PageView]
) -> None:
    """The error tells the page's size and the setting to lower; other errors are not mistaken for it."""
    reader = MultiVectorPageEncoder(encoder("tiny_colqwen2")._config)
    error: Exception = RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory")

    def fail(*_: object, **__: object) -> object:
        raise error

    with reader._model.using() as session:
        monkeypatch.setattr(type(session.model), "forward", fail)
    with pytest.raises(MemoryError, match=r"400 x 528 pixels .* lower image.max_side_px"):
        reader.encode_pages(pages[:1])
    error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes do not match"):
        reader.encode_pages(pages[:1])


def test_weights_come_and_go(encoder: Encoder, pages: list[PageView]) -> None:
    """Nothing is loaded until it is used; weights can be moved and given up, and come back."""
    reader = MultiVectorPageEncoder(encoder("tiny_colqwen2")._config)
    assert reader.fingerprint and reader.dimension and reader.weights_bytes
    assert reader._model._loaded is None and reader.device == "cpu"
    before = reader.encode_queries(["tide"])[0]
    loaded = reader._model._loaded
    assert loaded is not None
    assert reader.weights_bytes == sum(weight.nbytes for weight in loaded.model.parameters())
    reader.to_host()
    reader.free()
    assert reader._model._loaded is None
    reader.to_host()
    assert reader._model._loaded is None
    reader.to_device()
    assert reader._model._loaded is not None
    assert np.array_equal(reader.encode_queries(["tide"])[0].vectors, before.vectors)


def test_threads_share_one_encoder(encoder: Encoder) -> None:
    """Queries encoded at the same time come out as they do one after another."""
    reader = MultiVectorPageEncoder(encoder("tiny_multi_vector")._config)
    asked = [["tide"], ["revenue by quarter rose"], ["", "water"], ["shore charging in 2025"]] * 3
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(reader.encode_queries, asked))
    for found, texts in zip(together, asked, strict=True):
        for one, other in zip(found, reader.encode_queries(texts), strict=True):
            assert one.spans == other.spans and np.allclose(one.vectors, other.vectors, atol=FLOAT_NOISE)


def test_a_query_model_needs_no_page_model(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """For queries, only the query model is looked for, and space is what was configured."""
    config = ImageConfig(
        encoder="test",
        model=str(tmp_path / "not-here"),
        query_model=str(checkpoint("tiny_colqwen2")),
        space="shared",
        device="cpu",
    )
    reader = MultiVectorPageEncoder(config, queries=True)
    assert reader.space == "shared" and reader.name == str(checkpoint("tiny_colqwen2"))
    assert len(reader.encode_queries(["tide"])) == 1
    with pytest.raises(ModelFileError, match="there is no folder"):
        MultiVectorPageEncoder(config).encode_pages([make_page(256, 256)])


def test_a_text_model_of_the_same_space_encodes_queries_alone(tmp_path: Path) -> None:
    """A late interaction model without eyes answers queries, and says what it cannot do."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    backbone = Transformer(
        str(tiny_text_only(tmp_path / "backbone")),
        query_expansion={"strategy": "fixed", "length": 12, "attend": False},
    )
    dense = Dense(
        32, 16, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"
    )
    modules = [backbone, dense, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    theirs = MultiVectorEncoder(modules=modules, device="cpu", prompts={"query": "[Q] "})
    theirs.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    reader = MultiVectorPageEncoder(ImageConfig(encoder="test", model=str(tmp_path / "model"), device="cpu"))
    query = reader.encode_queries(["tide rose"])[0]
    assert np.allclose(query.vectors, theirs.encode_query("tide rose").numpy(), atol=FLOAT_NOISE)
    assert len(query.vectors) == 12
    assert "".join("tide rose"[start:end] for start, end in query.spans) == "tiderose"
    with pytest.raises(ModelFileError, match="sees no images"):
        reader.encode_pages([make_page(256, 256)])


def test_models_that_would_be_given_random_weights_are_refused(
    encoder: Encoder, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """sentence-transformers appends an untrained projection to any other model."""
    for folder in (tiny_text_only(tmp_path / "text"), checkpoint("tiny_single_vector")):
        with pytest.raises(ModelFileError, match="no late interaction model"):
            MultiVectorPageEncoder(ImageConfig(encoder="test", model=str(folder))).encode_queries(["tide"])


def test_wrong_arguments_are_told(encoder: Encoder) -> None:
    """A bare string is refused, no model is refused, and nothing gives nothing."""
    with pytest.raises(TypeError, match="put it into a list"):
        encoder("tiny_colqwen2").encode_queries("tide")
    with pytest.raises(ConfigError, match="needs image.model"):
        MultiVectorPageEncoder(ImageConfig())
    assert (
        encoder("tiny_colqwen2").encode_queries([]) == [] and encoder("tiny_colqwen2").encode_pages([]) == []
    )


def test_a_model_with_code_of_its_own_is_refused(tmp_path: Path) -> None:
    """Modules that are not sentence-transformers' own are not imported."""
    folder = tiny_multi_vector(tmp_path / "model")
    (folder / "evil.py").write_text("raise SystemExit('ran')\nclass Module: ...\n")
    modules = (folder / "modules.json").read_text()
    (folder / "modules.json").write_text(
        modules.replace("sentence_transformers.base.modules.normalize.Normalize", "evil.Module")
    )
    assert "evil" in (folder / "modules.json").read_text()
    with pytest.raises(ModelFileError, match="evil.Module"):
        MultiVectorPageEncoder(ImageConfig(encoder="test", model=str(folder))).encode_queries(["tide"])
