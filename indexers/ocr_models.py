"""
The two networks of RapidOCR, run by OpenVINO or ONNX Runtime.

They are files inside RapidOCR's wheel. RapidOCR itself is not imported: it would download what it misses.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import MissingExtraError, ModelFileError
from ragvl.indexers.inference import import_onnxruntime, import_openvino

Engine = Literal["auto", "openvino", "onnxruntime"]
Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]

DETECTOR_FILE = "PP-OCRv6_det_small.onnx"
RECOGNISER_FILE = "PP-OCRv6_rec_small.onnx"
_BLANK = ""


@dataclass(frozen=True, slots=True)
class OcrModels:
    """
    Attributes:
        detect: (1, 3, height, width) float32 to (1, 1, height, width), the share of text at each pixel; sides
            are multiples of 32.
        recognise: (1, 3, 48, width) float32 to (1, steps, characters), probabilities; a step is 8 pixels.
        characters: what each class stands for; "" for none.
    """

    detect: Network
    recognise: Network
    characters: tuple[str, ...]


def load_ocr_models(engine: Engine, threads: int) -> OcrModels:
    """
    Load detector and recogniser.

    Args:
        engine: "auto" takes OpenVINO where it is installed, else ONNX Runtime.
        threads: cores that one call may take.

    Raises:
        MissingExtraError: RapidOCR or the engine is not installed.
        ModelFileError: RapidOCR's wheel lacks a model.
    """
    folder = _models_folder()
    if engine == "auto":
        engine = "openvino" if importlib.util.find_spec("openvino") else "onnxruntime"
    if importlib.util.find_spec(engine) is None:
        raise MissingExtraError(
            f"reading.ocr.engine is {engine!r}, which is not installed: pip install {engine}"
        )
    load = _openvino if engine == "openvino" else _onnxruntime
    detect, _ = load(folder / DETECTOR_FILE, threads)
    recognise, characters = load(folder / RECOGNISER_FILE, threads)
    # The classes of a CTC model: blank first, a space last.
    return OcrModels(detect, recognise, (_BLANK, *characters, " "))


def _models_folder() -> Path:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("OCR needs the models of RapidOCR: pip install rapidocr")
    folder = Path(spec.submodule_search_locations[0]) / "models"
    for name in (DETECTOR_FILE, RECOGNISER_FILE):
        if not (folder / name).is_file():
            raise ModelFileError(
                f"{name} is not in {folder}; install rapidocr 3.8 or newer, or set ocr.pages false"
            )
    return folder


def _openvino(path: Path, threads: int) -> tuple[Network, list[str]]:
    openvino = import_openvino()
    core = openvino.Core()
    # Half precision where the processor computes in it: measured 1.8 times as fast, the same words.
    half = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
        "CPU_RUNTIME_CACHE_CAPACITY": 64,
    }
    model = core.read_model(path)
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        request.infer([pixels])
        return np.asarray(request.get_output_tensor().data)

    metadata: Any = ("framework", "character")
    return run, str(model.get_rt_info(list(metadata)).value).splitlines() if model.has_rt_info(
        list(metadata)
    ) else []


def _onnxruntime(path: Path, threads: int) -> tuple[Network, list[str]]:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {name: pixels})[0])

    return run, session.get_modelmeta().custom_metadata_map.get("character", "").splitlines()
