"""Build the wheel from a clean copy, install it bare in a fresh environment, and use it as a new user would."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_NEEDED = (
    "ragvl/__init__.py",
    "ragvl/py.typed",
    "ragvl/configs/embedded.yaml",
    "ragvl/evals/report/templates/report.css",
    "ragvl/generator/calibration.json",
    "ragvl/indexers/stopwords.txt",
    "ragvl/indexers/models/granite-embedding-30m-english/model.onnx",
    "ragvl/indexers/models/granite-embedding-30m-english/tokenizer.json",
    "ragvl/templates/show.css",
)
_MAX_MODEL_BYTES = 65_000_000


def main() -> int:
    """Return 0 when the wheel is whole and works."""
    with tempfile.TemporaryDirectory(prefix="ragvl-wheel-") as scratch:
        folder = Path(scratch)
        wheel = _build(folder)
        _check_contents(wheel)
        python = _install(wheel, folder / "venv")
        _try(python, folder)
    sys.stdout.write(f"{wheel.name}: contents, bare install and first use are sound\n")
    return 0


def _build(folder: Path) -> Path:
    """Through the source distribution, so that a stale build folder cannot add a file."""
    _run(sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(ROOT), quiet=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def _check_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    missing = [name for name in _NEEDED if name not in sizes]
    if missing:
        raise SystemExit(f"{wheel.name} lacks {', '.join(missing)}")
    modules = {path.relative_to(ROOT) for path in _modules()}
    absent = [path for path in modules if _in_wheel(path) not in sizes]
    if absent:
        raise SystemExit(
            f"{wheel.name} lacks {', '.join(map(str, sorted(absent)))}: is a folder missing in pyproject?"
        )
    stray = {name.split("/")[0] for name in sizes if "dist-info" not in name} - {"ragvl"}
    if stray:
        raise SystemExit(f"{wheel.name} installs more than ragvl: {', '.join(sorted(stray))}")
    model_bytes = sum(size for name, size in sizes.items() if "/models/" in name)
    if model_bytes > _MAX_MODEL_BYTES:
        raise SystemExit(f"the model takes {model_bytes:,} bytes, more than {_MAX_MODEL_BYTES:,}")


def _modules() -> list[Path]:
    tops = ("configs", "evals", "generator", "indexers", "retrievers")
    own = [
        path
        for path in (ROOT / "ragvl").rglob("*.py")
        if path.relative_to(ROOT / "ragvl").parts[0] not in tops
    ]
    return own + [path for top in tops for path in (ROOT / top).rglob("*.py")]


def _in_wheel(path: Path) -> str:
    return path.as_posix() if path.parts[0] == "ragvl" else f"ragvl/{path.as_posix()}"


def _install(wheel: Path, folder: Path) -> str:
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    constraints = str(ROOT / "constraints.txt")
    _run(python, "-m", "pip", "install", "--quiet", "--constraint", constraints, str(wheel), quiet=True)
    return python


def _try(python: str, folder: Path) -> None:
    """No development package may be needed, and nothing of the checkout."""
    documents = folder / "documents"
    documents.mkdir()
    (documents / "note.md").write_text("# Harbour\n\nThe harbour master is Ilka Brandt.\n", encoding="utf-8")
    ragvl = (python, "-m", "ragvl")
    _run(*ragvl, "--version", cwd=folder)
    _run(*ragvl, "index", "documents", cwd=folder, quiet=True)
    found = _run(*ragvl, "search", "Who is the harbour master?", "--json", cwd=folder, quiet=True)
    if "Ilka Brandt" not in found:
        raise SystemExit(f"the installed wheel did not find the passage: {found[:500]}")


def _run(*command: str, cwd: Path = ROOT, quiet: bool = False) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    if not quiet:
        sys.stdout.write(done.stdout)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
