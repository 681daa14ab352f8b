"""The seam behind which OpenVINO or ONNX Runtime runs a model."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ragvl.errors import MissingExtraError, ModelFileError
from ragvl.indexers.inference import Engine, choose_engine, load_model

ENGINES: tuple[Engine, ...] = ("onnxruntime", "openvino")

# Runs in a fresh process with an empty home; reports what was loaded, looked up on the network, and written at home.
ISOLATED = """
import json, os, pathlib, sys
calls = []
sys.addaudithook(lambda event, args: calls.append(event) if event.startswith(("socket.", "urllib.")) else None)
import numpy as np
from ragvl.indexers import inference
early = [name for name in ("openvino", "onnxruntime") if name in sys.modules]
model = inference.load_model(pathlib.Path(sys.argv[1]), engine=sys.argv[2], threads=1)
model({"value": np.ones((2, 64), np.float32)})
print(json.dumps({
    "early": early,
    "network": [call for call in calls if call not in ("socket.__new__", "socket.gethostname")],
    "converter": any(name.startswith(("openvino.tools.ovc", "openvino_telemetry")) for name in sys.modules),
    "home": sorted(str(path) for path in pathlib.Path.home().rglob("*")),
}))
"""


@pytest.fixture(scope="module")
def weights() -> NDArray[np.float32]:
    """The matrix that the tiny model multiplies by, (64, 32)."""
    random = np.random.default_rng(0)
    return (random.integers(-127, 128, (64, 32)) * 0.01).astype(np.float32)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory, weights: NDArray[np.float32]) -> Path:
    """A model that multiplies by int8 weights with a scale, as the encoder's layers do."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["int8"], ["wide"], to=kind.FLOAT),
        helper.make_node("Mul", ["wide", "scale"], ["matrix"]),
        helper.make_node("MatMul", ["value", "matrix"], ["result"]),
    ]
    int8 = np.round(weights / 0.01).astype(np.int8)
    constants = [
        onnx.numpy_helper.from_array(int8, "int8"),
        onnx.numpy_helper.from_array(np.full((1, 32), 0.01, np.float32), "scale"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("value", kind.FLOAT, ["rows", 64])],
        [helper.make_tensor_value_info("result", kind.FLOAT, ["rows", 32])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def needs(engine: Engine) -> None:
    """Skip the test where the engine is not installed."""
    try:
        choose_engine(engine)
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_multiply_alike(engine: Engine, model_path: Path, weights: NDArray[np.float32]) -> None:
    """In float32 either engine gives numpy's product, for any number of rows."""
    needs(engine)
    model = load_model(model_path, engine=engine, threads=2, precision="float32")
    assert (model.engine, model.precision) == (engine, "float32")
    assert model.concurrency >= 1
    for rows in (1, 7, 64):
        value = np.random.default_rng(rows).normal(size=(rows, 64)).astype(np.float32)
        result = model({"value": value})
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, value @ weights, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_activations_are_never_quantised(
    engine: Engine, model_path: Path, weights: NDArray[np.float32]
) -> None:
    """A value with one outlier keeps its small entries, which int8 activations would round to zero."""
    needs(engine)
    model = load_model(model_path, engine=engine, threads=1)
    value = np.full((1, 64), 0.01, np.float32)
    value[0, 0] = 1000.0
    small = model({"value": value})[0] - 1000.0 * weights[0]
    # bfloat16 keeps 8 bits of each factor, relative to the outlier's own product at worst
    tolerance = 1e-3 if model.precision == "float32" else 8.0
    np.testing.assert_allclose(small, 0.01 * weights[1:].sum(0), atol=tolerance)


@pytest.mark.parametrize("engine", ENGINES)
def test_results_belong_to_the_caller(engine: Engine, model_path: Path) -> None:
    """A later call does not write over the array that an earlier one returned."""
    needs(engine)
    model = load_model(model_path, engine=engine, threads=1)
    first = model({"value": np.ones((2, 64), np.float32)})
    kept = first.copy()
    model({"value": np.zeros((2, 64), np.float32)})
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_share_one_model(engine: Engine, model_path: Path) -> None:
    """Eight threads calling at once get what one gets alone."""
    needs(engine)
    model = load_model(model_path, engine=engine, threads=2)
    values = [np.full((row % 5 + 1, 64), row, np.float32) for row in range(64)]
    alone = [model({"value": value}) for value in values]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda value: model({"value": value}), values))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_call_leaves_the_model_usable(engine: Engine, model_path: Path) -> None:
    """Wrongly shaped input raises every time, not only the first, and never blocks the next caller."""
    needs(engine)
    model = load_model(model_path, engine=engine, threads=1)
    model({"value": np.ones((2, 64), np.float32)})
    for _ in range(model.concurrency + 1):
        with pytest.raises(ValueError, match="63"):
            model({"value": np.ones((2, 63), np.float32)})
        with pytest.raises(ValueError, match="value"):
            model({})
    assert model({"value": np.ones((2, 64), np.float32)}).shape == (2, 32)


@pytest.mark.parametrize("engine", ENGINES)
def test_loading_is_late_and_private(engine: Engine, model_path: Path, tmp_path: Path) -> None:
    """Importing the seam loads no engine; running a model opens no connection and writes nothing at home."""
    needs(engine)
    run = subprocess.run(
        [sys.executable, "-c", ISOLATED, str(model_path), engine],
        env={"HOME": str(tmp_path), "PATH": "", "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == {"early": [], "network": [], "converter": False, "home": []}


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A model that is not there raises with its path."""
    with pytest.raises(ModelFileError, match="absent.onnx does not exist"):
        load_model(tmp_path / "absent.onnx")


@pytest.mark.parametrize("engine", ENGINES)
def test_damaged_file_is_named(engine: Engine, tmp_path: Path) -> None:
    """A file that is no model raises ModelFileError with its path and the engine."""
    needs(engine)
    (tmp_path / "broken.onnx").write_bytes(b"not a model" * 20)
    with pytest.raises(ModelFileError, match=rf"{engine} cannot open .*broken\.onnx"):
        load_model(tmp_path / "broken.onnx", engine=engine)


def test_negative_threads_are_refused(tmp_path: Path) -> None:
    """A thread count below zero is the caller's mistake."""
    with pytest.raises(ValueError, match="threads must be 0 or more"):
        load_model(tmp_path / "any.onnx", threads=-1)


def test_auto_takes_the_first_engine_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of preference decides, and absent engines are passed over or named."""
    installed: set[str] = {"onnxruntime"}

    def find_spec(name: str) -> Any:
        return object() if name in installed else None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    for name in ENGINES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert choose_engine("auto", "openvino", "onnxruntime") == "onnxruntime"
    with pytest.raises(MissingExtraError, match="pip install openvino"):
        choose_engine("openvino", "onnxruntime")
    installed.add("openvino")
    assert choose_engine("auto", "openvino", "onnxruntime") == "openvino"
    assert choose_engine("auto", "onnxruntime", "openvino") == "onnxruntime"
