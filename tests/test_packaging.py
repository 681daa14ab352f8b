"""How the top-level folders install, and what may be imported when."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import ragvl

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAPPED: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]


def _package_of(folder: Path) -> str:
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "ragvl" else ("ragvl", *parts))


def test_every_folder_of_modules_is_listed() -> None:
    """A folder missing from `packages` works in the checkout and is silently absent from the wheel."""
    tops = [ROOT / "ragvl", *(ROOT / folder for folder in MAPPED.values())]
    links = {ROOT / "ragvl" / folder for folder in MAPPED.values()}
    found = {
        _package_of(init.parent)
        for top in tops
        for init in top.rglob("__init__.py")
        if not links & set(init.parents)
    }
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def test_the_links_equal_the_package_table() -> None:
    """Each mapped folder is a link inside `ragvl/`, or the text that git writes where links are unsupported."""
    for name, folder in MAPPED.items():
        link = ROOT / "ragvl" / name.removeprefix("ragvl.")
        target = link.readlink().as_posix() if link.is_symlink() else link.read_text(encoding="utf-8").strip()
        assert target == f"../{folder}"


def test_package_data_exists() -> None:
    """Every pattern of package data matches a file."""
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        folder = ROOT / MAPPED.get(package, package.replace(".", "/"))
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{package}: {pattern} matches nothing"


def test_the_version_is_that_of_the_package() -> None:
    """The module and the package agree."""
    assert ragvl.__version__ == PROJECT["project"]["version"]


def test_exports_are_sorted_and_there() -> None:
    """What `__all__` names can be had."""
    assert ragvl.__all__ == sorted(ragvl.__all__)
    assert all(hasattr(ragvl, name) for name in ragvl.__all__)


def test_import_ragvl_is_light() -> None:
    """`import ragvl` reaches for none of the heavy libraries."""
    heavy = ("torch", "faiss", "numpy", "onnxruntime", "openvino", "pymupdf", "apsw", "tokenizers", "PIL")
    code = f"import sys, ragvl; sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_engines_are_imported_through_one_module() -> None:
    """OpenVINO and ONNX Runtime report usage unless `ragvl.indexers.inference` imports them."""
    for path in [*ROOT.glob("ragvl/**/*.py"), *ROOT.glob("*/**/*.py")]:
        if (
            ".venv" in path.parts
            or path.name == "inference.py"
            or path.relative_to(ROOT).parts[0] in {"tests", "scripts"}
        ):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        bare = [line for line in lines if line.strip().startswith(("import openvino", "import onnxruntime"))]
        assert not bare, f"{path}: {bare}"
