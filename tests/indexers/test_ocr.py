"""Words and boxes from pictures, with the real networks: they lie inside RapidOCR's wheel."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ragvl.config import OcrConfig
from ragvl.errors import MissingExtraError, ReadError
from ragvl.indexers import ocr_models
from ragvl.indexers.ocr import OcrEngine, is_flat
from ragvl.indexers.page_ocr import PageOcr
from ragvl.types import BBox, Block, BlockKind, DocumentStatus, Line, PageContent, TextSource, Word

_LINES = (
    ("Results of the year 2021", 60, 40, 44),
    ("Total revenue", 60, 160, 30),
    ("6,779,511", 560, 160, 30),
    ("5,504,656", 800, 160, 30),
    ("Net income", 60, 220, 30),
    ("122,641", 560, 220, 30),
    ("98,307", 800, 220, 30),
)


def _picture() -> Image.Image:
    image = Image.new("RGB", (1100, 400), "white")
    draw = ImageDraw.Draw(image)
    for text, x, y, size in _LINES:
        draw.text((x, y), text, fill="black", font=ImageFont.load_default(size))
    return image


class _Scan:
    """A document of one page that is a picture, as wide in points as in pixels."""

    page_count = 1
    title = ""
    warnings = ()

    def __init__(self, image: Image.Image, figures: tuple[BBox, ...] = (), fails: bool = False) -> None:
        self._image = image
        self._figures = figures
        self._fails = fails

    def read_page(self, page_number: int) -> PageContent:
        """A page without text."""
        return PageContent(page_number, *map(float, self._image.size), (), TextSource.NONE)

    def figure_boxes(self, page_number: int) -> tuple[BBox, ...]:
        """The figures given."""
        return self._figures

    def render(self, page_number: int, dpi: float) -> Image.Image:
        """The picture."""
        if self._fails:
            raise ReadError(DocumentStatus.CORRUPT, "cannot be drawn")
        return self._image


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    """The engine that is chosen on its own."""
    return OcrEngine()


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_each_engine_reads_words_where_they_stand(name: ocr_models.Engine) -> None:
    """Both engines read the same words, and each box lies over its word."""
    if name == "openvino":
        pytest.importorskip("openvino")
    lines = OcrEngine(name).read(_picture())
    words = {word.text: word.box_px for line in lines for word in line.words}
    assert {text for line, *_ in _LINES for text in line.split()} == set(words)
    for text, x, y, size in _LINES:
        x0, y0, x1, y1 = words[text.split()[0]]
        width = ImageFont.load_default(size).getlength(text.split()[0])
        assert abs(x0 - x) < size / 2 and abs(x1 - x - width) < size / 1.5, text
        assert y0 < y + size / 2 < y1, text


def test_tall_pictures_are_read_whole(engine: OcrEngine) -> None:
    """Lines are found once each wherever they stand, also where the detector's bands meet."""
    lines = [f"entry {number} of many" for number in range(100, 136)]
    image = Image.new("RGB", (600, 1500), "white")
    draw = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        draw.text((40, 20 + 41 * place), line, fill="black", font=ImageFont.load_default(26))
    read = sorted(engine.read(image), key=lambda line: line.box_px[1])
    assert [" ".join(word.text for word in line.words) for line in read] == lines


def test_an_empty_picture_costs_no_network(engine: OcrEngine) -> None:
    """Blank pages are seen to be blank before anything is computed."""
    assert is_flat(Image.new("RGB", (2000, 2000), "navy"))
    assert not is_flat(_picture())
    assert engine.read(Image.new("L", (800, 600), 255)) == []


def test_a_picture_with_nothing_to_read_has_no_lines(engine: OcrEngine) -> None:
    """Shapes are not words."""
    gradient = np.linspace(0, 255, 640 * 480, dtype=np.uint8).reshape(480, 640)
    assert engine.read(Image.fromarray(gradient)) == []


def test_text_that_climbs_is_read(engine: OcrEngine) -> None:
    """The label of a vertical axis is words too, and is not taken for a level line."""
    turned = _picture().crop((0, 20, 800, 110)).rotate(90, expand=True)
    (line,) = engine.read(turned)
    assert " ".join(word.text for word in line.words) == "Results of the year 2021"
    assert not line.upright


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models are local; a machine without a network reads as well."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert OcrEngine().read(_picture())


def test_rapidocr_itself_is_never_imported() -> None:
    """Its own code would download what it misses."""
    code = (
        "import sys; from ragvl.indexers.ocr import OcrEngine; OcrEngine(); print('rapidocr' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_engine_that_is_absent_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message holds the command that helps."""
    found = ocr_models.importlib.util.find_spec
    monkeypatch.setattr(
        ocr_models.importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name)
    )
    with pytest.raises(MissingExtraError, match="pip install openvino"):
        ocr_models.load_ocr_models("openvino", 1)


def test_a_scanned_page_becomes_headings_and_table_rows() -> None:
    """The words of a scan go through the same layout as those of a text layer."""
    scan = _Scan(_picture())
    page = PageOcr(OcrConfig()).complete(scan, scan.read_page(1))
    lines = [" ".join(word.text for word in line.words) for block in page.blocks for line in block.lines]
    assert lines == [
        "Results of the year 2021",
        "Total revenue 6,779,511 5,504,656",
        "Net income 122,641 98,307",
    ]
    assert [block.kind for block in page.blocks] == [BlockKind.HEADING, BlockKind.TABLE]
    assert TextSource.OCR is page.text_source


def test_a_figure_adds_only_what_the_layer_lacks() -> None:
    """Words that stand in the text layer over a picture are not read a second time."""
    title = Line(
        tuple(
            Word(text, (60.0 + 90 * i, 40.0, 145.0 + 90 * i, 90.0))
            for i, text in enumerate(["Results", "of", "the", "year", "2021"])
        )
    )
    body = Line(tuple(Word("word", (60.0 + 8 * i, 380.0, 66.0 + 8 * i, 390.0)) for i in range(30)))
    scan = _Scan(_picture(), figures=((0.0, 0.0, 1100.0, 370.0),))
    given = replace(
        scan.read_page(1), blocks=(Block(BlockKind.TEXT, (title, body)),), text_source=TextSource.LAYER
    )
    page = PageOcr(OcrConfig()).complete(scan, given)
    figure = page.blocks[-1]
    assert BlockKind.FIGURE is figure.kind
    assert [" ".join(word.text for word in line.words) for line in figure.lines] == [
        "Total revenue 6,779,511 5,504,656",
        "Net income 122,641 98,307",
    ]
    assert TextSource.LAYER is page.text_source


@pytest.mark.parametrize("config", [OcrConfig(pages=False, figures=False), OcrConfig(pages=False)])
def test_ocr_that_is_off_stays_off(config: OcrConfig) -> None:
    """A scan is then a page without text."""
    scan = _Scan(_picture())
    assert scan.read_page(1) == PageOcr(config).complete(scan, scan.read_page(1))


def test_an_empty_page_loads_no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many documents have one, and the networks take a second and 300 MB."""
    monkeypatch.setattr("ragvl.indexers.page_ocr.OcrEngine", lambda *_: pytest.fail("loaded"))
    scan = _Scan(Image.new("RGB", (800, 600), "white"))
    assert not PageOcr(OcrConfig()).complete(scan, scan.read_page(1)).blocks


def test_a_page_that_cannot_be_drawn_keeps_a_warning() -> None:
    """OCR that fails costs a page its warning, not its text."""
    scan = _Scan(_picture(), fails=True)
    page = PageOcr(OcrConfig()).complete(scan, scan.read_page(1))
    assert page.warning == "not read by OCR: cannot be drawn"


def test_models_are_found_without_rapidocr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is missing is named."""
    monkeypatch.setattr(ocr_models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="pip install rapidocr"):
        ocr_models.load_ocr_models("auto", 1)
