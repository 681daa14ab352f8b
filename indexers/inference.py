"""
Run an ONNX model on the CPU: the one seam behind which OpenVINO or ONNX Runtime works.

OpenVINO is the faster for bulk, above all where the processor multiplies int8 or bfloat16; ONNX Runtime is ready sooner in a
fresh process. Nothing else in ragvl may import either of them, nor a package that does, before `import_openvino` or
`import_onnxruntime` has: a plain `import openvino` reports usage to Google Analytics, and since 1.29 a plain
`import onnxruntime` reports it to Microsoft.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import MissingExtraError, ModelFileError

__all__ = [
    "Engine",
    "EngineChoice",
    "LoadedModel",
    "Precision",
    "choose_engine",
    "import_openvino",
    "load_model",
]

Engine = Literal["openvino", "onnxruntime"]
EngineChoice = Literal["auto", "openvino", "onnxruntime"]
Precision = Literal["auto", "bfloat16", "float32"]
Tensors = Mapping[str, NDArray[Any]]

_GROUP = 64  # activations that share a scale; the weights' blocks must be as long, or multiples of it
_INT8_FLAGS = frozenset(("avx512_vnni", "avx_vnni"))
_TELEMETRY_MODULE = "openvino.tools.ovc"
_import_lock = threading.Lock()


@dataclass(frozen=True)
class LoadedModel:
    """
    A model ready to run; safe to call from several threads at once.

    Attributes:
        engine: what runs it.
        precision: type in which products are computed: "float32", "bfloat16" or "int8".
        concurrency: calls that may usefully run at the same time; each uses its share of the threads.
    """

    engine: Engine
    precision: str
    concurrency: int
    _run: Callable[[Tensors], NDArray[np.float32]]

    def __call__(self, inputs: Tensors) -> NDArray[np.float32]:
        """
        Run the model once.

        Args:
            inputs: one array per input name, shaped and typed as the model declares.

        Returns:
            The model's first output as float32, owned by the caller.

        Raises:
            ValueError: an input is missing or of a shape that the model does not take.
        """
        return self._run(inputs)


def choose_engine(wanted: EngineChoice, *preferred: Engine) -> Engine:
    """
    Name the engine to use, without importing it.

    Args:
        wanted: an engine, or "auto" for the first of `preferred` that is installed.
        preferred: engines in the order in which "auto" tries them.

    Raises:
        MissingExtraError: it, or any of them, is not installed.
    """
    candidates = preferred if wanted == "auto" else (wanted,)
    for engine in candidates:
        # `find_spec` raises on a module that was blocked by setting it to None, so look there first.
        if sys.modules.get(engine) or (engine not in sys.modules and importlib.util.find_spec(engine)):
            return engine
    names = " or ".join(candidates)
    raise MissingExtraError(f"{names} is needed to run models on the CPU; run: pip install {candidates[-1]}")


def load_model(
    path: Path,
    *,
    engine: EngineChoice = "auto",
    threads: int = 0,
    precision: Precision = "auto",
) -> LoadedModel:
    """
    Open an ONNX model.

    Args:
        path: the `.onnx` file, weights included.
        engine: "auto" takes the faster for bulk: OpenVINO where it is installed, else ONNX Runtime.
        threads: processor threads to use; 0 leaves it to the engine, which takes the physical cores.
        precision: "auto" takes the fastest that OpenVINO finds hardware for and that keeps the model's results:
            bfloat16 on matrix units, int8 products for int8 weights, bfloat16, float32; "bfloat16" leaves out int8.

    Raises:
        ValueError: threads is negative.
        MissingExtraError: the engine is not installed.
        ModelFileError: the file is absent, or the engine cannot read it.
    """
    if threads < 0:
        raise ValueError(f"threads must be 0 or more, got {threads}")
    chosen = choose_engine(engine, "openvino", "onnxruntime")
    if not path.is_file():
        raise ModelFileError(f"model file {path} does not exist; reinstall ragvl, or correct the path")
    try:
        if chosen == "openvino":
            return _open_openvino(path, threads, precision)
        return _open_onnxruntime(path, threads)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # the engines' own errors share no narrower base
        raise ModelFileError(f"{chosen} cannot open {path}: {error}") from error


def import_openvino() -> ModuleType:
    """
    Import OpenVINO without its usage reports, and about 60 ms sooner.

    `openvino/__init__.py` imports its converter, `openvino.tools.ovc`, inside `try ... except ImportError`; importing the
    converter sends an event to Google Analytics and writes an id below the home directory. Making that one import fail
    leaves the runtime whole and only `openvino.convert_model` undefined. The block is lifted at once, so a program that
    wants the converter can still import it by name.
    """
    with _import_lock:
        if "openvino" in sys.modules or _TELEMETRY_MODULE in sys.modules:
            return importlib.import_module("openvino")
        sys.modules[_TELEMETRY_MODULE] = None  # type: ignore[assignment]  # documented way to make an import fail
        try:
            return importlib.import_module("openvino")
        finally:
            del sys.modules[_TELEMETRY_MODULE]


def import_onnxruntime() -> ModuleType:
    """
    Import ONNX Runtime without its usage reports.

    From 1.29 on, importing it writes a device id and a database below the home directory and uploads to Microsoft. The
    environment variable is the only way to stop that, must be set before the import, and is left set for child processes.
    A value that the user has set is kept. Windows builds report to the system's event log instead, until told not to.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    onnxruntime = importlib.import_module("onnxruntime")
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _open_openvino(path: Path, threads: int, precision: Precision) -> LoadedModel:
    openvino = import_openvino()
    core = openvino.Core()
    model = core.read_model(path)
    chosen = _openvino_precision(openvino, core, model, precision)
    # Small batches on one thread each beat one batch on all threads, most of all when other programs are running.
    settings = {"PERFORMANCE_HINT": "THROUGHPUT"}
    if precision == "float32" or core.get_property("CPU", "INFERENCE_PRECISION_HINT") != openvino.Type.bf16:
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    else:
        settings["INFERENCE_PRECISION_HINT"] = "bf16"
    if chosen == "int8":
        settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = str(_GROUP)
    else:
        _unpack_weights(openvino, model)
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = core.compile_model(model, "CPU", settings)
    concurrency = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    shapes = {port.get_any_name(): port.get_partial_shape() for port in compiled.inputs}
    idle: queue.LifoQueue[Any] = queue.LifoQueue()
    for _ in range(concurrency):
        idle.put(compiled.create_infer_request())
    # The first array that OpenVINO sees sets up its bridge to numpy; two threads that bring one each wait for each
    # other for good (2026.4).
    openvino.Tensor(np.zeros(1, np.float32))

    def run(inputs: Tensors) -> NDArray[np.float32]:
        for name, expected in shapes.items():
            if name not in inputs or not expected.compatible(openvino.PartialShape(inputs[name].shape)):
                found = inputs[name].shape if name in inputs else "absent"
                raise ValueError(f"input {name} must have shape {expected}, it is {found}")
        request = idle.get()
        try:
            # Not `infer`: with a single thread it hides errors and returns what the last call left (2026.4).
            request.start_async(dict(inputs))
            request.wait()
            return np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            idle.put(request)

    return LoadedModel("openvino", chosen, concurrency, run)


def _openvino_precision(openvino: ModuleType, core: Any, model: Any, wanted: Precision) -> str:
    """
    Choose the type of the products.

    int8 products need weights that are int8 already. OpenVINO then rounds activations to int8 in groups of 64 along a
    row, each with its own scale: one large component costs its group some precision and no other, and rows do not
    depend on each other. With one scale for a whole tensor the encoder's cosine to float32 falls to 0.87.
    """
    if wanted == "float32":
        return "float32"
    flags = _processor_flags()
    if (
        wanted == "auto"
        and "amx_bf16" not in flags
        and flags & _INT8_FLAGS
        and _int8_weights(openvino, model)
    ):
        return "int8"
    native = core.get_property("CPU", "INFERENCE_PRECISION_HINT")
    return "bfloat16" if native == openvino.Type.bf16 else "float32"


def _processor_flags() -> frozenset[str]:
    """What the processor can do, in Linux's words; elsewhere nothing is known."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())


def _int8_weights(openvino: ModuleType, model: Any) -> list[Any]:
    """The nodes that widen a constant of int8."""
    found = []
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convert":
            continue
        source = node.input_value(0).get_node()
        if source.get_type_name() == "Constant" and source.get_element_type() == openvino.Type.i8:
            found.append(node)
    return found


def _unpack_weights(openvino: ModuleType, model: Any) -> None:
    """Widen int8 weights to float32, so that OpenVINO folds their scales in and does not unpack them in every call."""
    for node in _int8_weights(openvino, model):
        wide = openvino.op.Constant(node.input_value(0).get_node().data.astype(np.float32))
        node.output(0).replace(wide.output(0))


def _open_onnxruntime(path: Path, threads: int) -> LoadedModel:
    onnxruntime = import_onnxruntime()
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only: they are raised as well
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    shapes = {port.name: port.shape for port in session.get_inputs()}

    def run(inputs: Tensors) -> NDArray[np.float32]:
        try:
            return np.asarray(session.run(None, dict(inputs))[0], dtype=np.float32)
        except (ValueError, InvalidArgument) as error:
            found = {name: value.shape for name, value in inputs.items()}
            raise ValueError(f"inputs must have shapes {shapes}, they are {found}") from error

    return LoadedModel("onnxruntime", "float32", 1, run)
