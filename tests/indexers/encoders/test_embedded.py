"""The text encoder that ships inside ragvl."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ragvl.errors import MissingExtraError, ModelFileError
from ragvl.indexers.encoders import EmbeddedTextEncoder
from ragvl.indexers.encoders.embedded import MODEL_FOLDER
from ragvl.indexers.inference import Engine, choose_engine
from ragvl.protocols import TextEncoder

QUESTION = "What was 3M's capital expenditure in 2018?"
RELATED = "Purchases of property, plant and equipment were $1,577 million in 2018."
UNRELATED = "The recipe needs two eggs, a cup of flour and a pinch of salt."

# First six components, and cosines, from transformers' RobertaModel in float32 with the same dequantised weights.
GOLDEN = {
    QUESTION: (-0.00331, 0.09896, -0.01888, 0.10079, -0.06516, -0.02766),
    RELATED: (0.04103, 0.04432, -0.00342, 0.00549, -0.03168, -0.10165),
    UNRELATED: (0.01056, -0.0527, 0.00956, 0.01079, -0.02859, 0.06084),
    "": (-0.03256, 0.06752, 0.00113, -0.0256, -0.04337, -0.03649),
}
GOLDEN_TOKENS = [12, 20, 18, 2]
GOLDEN_COSINES = [
    [1.0, 0.6956, 0.4989, 0.5436],
    [0.6956, 1.0, 0.529, 0.5828],
    [0.4989, 0.529, 1.0, 0.5549],
    [0.5436, 0.5828, 0.5549, 1.0],
]


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def encoder(request: pytest.FixtureRequest) -> EmbeddedTextEncoder:
    """One encoder per engine, in float32."""
    engine: Engine = request.param
    try:
        choose_engine(engine)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return EmbeddedTextEncoder(engine=engine, threads=2, precision="float32")


@pytest.fixture(scope="module")
def automatic() -> EmbeddedTextEncoder:
    """The encoder as a user gets it."""
    return EmbeddedTextEncoder(threads=2)


def mixed_texts() -> list[str]:
    """Twenty texts of one to 700 words in no order of length."""
    return [" ".join([f"word{index}", "and", "another"] * (index * 37 % 101 + 1)) for index in range(20)]


def test_it_is_a_text_encoder(automatic: EmbeddedTextEncoder) -> None:
    """The class offers what the protocol asks for, with the facts of this model."""
    encoder: TextEncoder = automatic
    assert (encoder.name, encoder.dimension) == ("granite-embedding-30m-english", 384)
    assert len(encoder.fingerprint) == 64
    assert automatic.max_tokens == 512


def test_vectors_match_the_oracle(encoder: EmbeddedTextEncoder) -> None:
    """Known texts give the vectors and cosines that transformers gives."""
    vectors = encoder.encode_passages(list(GOLDEN))
    np.testing.assert_allclose(vectors[:, :6], list(GOLDEN.values()), atol=2e-5)
    np.testing.assert_allclose(vectors @ vectors.T, GOLDEN_COSINES, atol=1e-4)


def test_default_engines_share_one_space(automatic: EmbeddedTextEncoder) -> None:
    """Passages and queries of the same text agree whichever engine and precision each ran on."""
    texts = [*GOLDEN, *mixed_texts()]
    passages, queries = automatic.encode_passages(texts), automatic.encode_queries(texts)
    assert (passages * queries).sum(axis=1).min() > 0.999
    np.testing.assert_allclose(queries[: len(GOLDEN), :6], list(GOLDEN.values()), atol=5e-3)


def test_related_texts_are_closer(automatic: EmbeddedTextEncoder) -> None:
    """A question is nearer to its answer than to a recipe."""
    query = automatic.encode_queries([QUESTION])[0]
    related, unrelated = automatic.encode_passages([RELATED, UNRELATED]) @ query
    assert related > unrelated + 0.1


def test_rows_are_unit_float32(encoder: EmbeddedTextEncoder) -> None:
    """Every row has length one, the empty text's too."""
    vectors = encoder.encode_passages(["", "a", QUESTION, " \n\t", "日本語", "x" * 3000])
    assert vectors.dtype == np.float32
    assert vectors.shape == (6, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_texts_give_no_rows(encoder: EmbeddedTextEncoder) -> None:
    """An empty list gives an empty array of the right width."""
    for vectors in (encoder.encode_passages([]), encoder.encode_queries(())):
        assert vectors.shape == (0, 384)
        assert vectors.dtype == np.float32
    assert encoder.count_tokens([]) == []


def test_batches_do_not_change_vectors(encoder: EmbeddedTextEncoder) -> None:
    """A text alone and in a mixed batch differs by float noise only, and order is kept."""
    texts = mixed_texts()
    together = encoder.encode_passages(texts)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-4


def test_long_texts_are_cut(encoder: EmbeddedTextEncoder) -> None:
    """What lies beyond 512 tokens does not change the vector, what lies before does."""
    whole = "alpha " * 510
    one, other, shorter = encoder.encode_passages([whole + "beta " * 400, whole + "gamma", "alpha " * 400])
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.abs(one - shorter).max() > 1e-3


def test_tokens_are_counted_with_end_marks(automatic: EmbeddedTextEncoder) -> None:
    """Counts include both end marks and are not limited to what is encoded."""
    assert automatic.count_tokens(list(GOLDEN)) == GOLDEN_TOKENS
    assert automatic.count_tokens(["alpha " * 1000])[0] > automatic.max_tokens


def test_halves_of_surrogate_pairs_are_accepted(automatic: EmbeddedTextEncoder) -> None:
    """Text from a damaged document is encoded with the broken characters replaced."""
    broken, replaced = automatic.encode_queries(["price \ud83d list", "price ? list"])
    np.testing.assert_allclose(broken, replaced, atol=1e-5)


@pytest.mark.parametrize("method", ["encode_passages", "encode_queries", "count_tokens"])
def test_a_single_string_is_refused(automatic: EmbeddedTextEncoder, method: str) -> None:
    """A string is a sequence of strings too, and is never what was meant."""
    with pytest.raises(TypeError, match="got one string"):
        getattr(automatic, method)("one text")


def test_threads_share_one_encoder() -> None:
    """Eight threads that meet a fresh encoder at once get the same vectors as one alone."""
    encoder = EmbeddedTextEncoder(threads=2)
    texts = [f"question number {index}" for index in range(32)]
    with ThreadPoolExecutor(8) as pool:
        together = np.concatenate(list(pool.map(lambda text: encoder.encode_queries([text]), texts)))
    np.testing.assert_allclose(together, encoder.encode_queries(texts), atol=1e-4)


def test_a_query_always_has_the_same_vector() -> None:
    """To the last bit: the first time and later, alone or after others, in this encoder and another."""
    encoder = EmbeddedTextEncoder(threads=2)
    first = encoder.encode_queries([QUESTION])
    encoder.encode_queries([RELATED, UNRELATED])
    np.testing.assert_array_equal(first, encoder.encode_queries([QUESTION]))
    np.testing.assert_array_equal(first, EmbeddedTextEncoder(threads=2).encode_queries([QUESTION]))


def test_the_files_are_those_of_the_manifest() -> None:
    """The package data is small, complete, and what the manifest says."""
    manifest = json.loads((MODEL_FOLDER / "manifest.json").read_text())
    sizes = {
        path.name: path.stat().st_size for path in MODEL_FOLDER.iterdir() if path.name != "manifest.json"
    }
    assert sizes == {name: entry["bytes"] for name, entry in manifest["files"].items()}
    assert sum(sizes.values()) < 65_000_000


@pytest.mark.parametrize("damaged", ["model.onnx", "tokenizer.json"])
def test_damaged_file_is_named(tmp_path: Path, damaged: str) -> None:
    """One changed byte is found before anything is encoded."""
    folder = shutil.copytree(MODEL_FOLDER, tmp_path / "model")
    content = bytearray((folder / damaged).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / damaged).write_bytes(content)
    with pytest.raises(ModelFileError, match=rf"{damaged} is damaged: sha256"):
        EmbeddedTextEncoder(folder).encode_queries([QUESTION])


def test_absent_files_are_named(tmp_path: Path) -> None:
    """A folder without a manifest, with an incomplete one, or without weights raises with the path."""
    with pytest.raises(ModelFileError, match=r"cannot read .*manifest\.json"):
        EmbeddedTextEncoder(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "tiny"}')
    with pytest.raises(ModelFileError, match="lacks one of"):
        EmbeddedTextEncoder(tmp_path)
    shutil.copy(MODEL_FOLDER / "manifest.json", tmp_path)
    with pytest.raises(ModelFileError, match=r"cannot read .*tokenizer\.json"):
        EmbeddedTextEncoder(tmp_path).count_tokens(["a"])


def test_making_an_encoder_loads_nothing() -> None:
    """Importing and making the encoder imports neither engine nor tokenizers; a query needs only one engine."""
    code = (
        "import sys; from ragvl.indexers.encoders import EmbeddedTextEncoder; e = EmbeddedTextEncoder()\n"
        "heavy = {'openvino', 'onnxruntime', 'tokenizers', 'torch'}\n"
        "print(len(heavy & set(sys.modules))); e.encode_queries(['a']); print(len(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "2"]
    assert run.stderr == ""


def test_forking_after_use_warns_of_nothing() -> None:
    """A process that encoded and then forks prints no warning of the tokenizer's threads."""
    code = (
        "import subprocess; from ragvl.indexers.encoders import EmbeddedTextEncoder\n"
        "EmbeddedTextEncoder().count_tokens(['a', 'b', 'c'])\n"
        "import os; pid = os.fork(); os._exit(0) if pid == 0 else os.waitpid(pid, 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == ""


def test_narrow_products_keep_the_vectors(automatic: EmbeddedTextEncoder) -> None:
    """Whatever the processor multiplies in, vectors stay those of float32, in any company."""
    texts = [*GOLDEN, *mixed_texts()]
    exact = EmbeddedTextEncoder(threads=2, precision="float32").encode_passages(texts)
    together = automatic.encode_passages(texts)
    alone = np.concatenate([automatic.encode_passages([text]) for text in texts])
    assert (exact * together).sum(axis=1).min() > 0.999
    np.testing.assert_allclose(together, alone, atol=1e-6)
