"""A folder of files that hang, blow up, lie about themselves or cannot be opened, and good ones beside them."""

from __future__ import annotations

import io
import os
import random
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ragvl.types import DocumentStatus

OK, PARTIAL, EMPTY = DocumentStatus.OK, DocumentStatus.PARTIAL, DocumentStatus.EMPTY
LOCKED, CORRUPT, TIMEOUT = DocumentStatus.LOCKED, DocumentStatus.CORRUPT, DocumentStatus.TIMEOUT
TOO_LARGE, UNSUPPORTED = DocumentStatus.TOO_LARGE, DocumentStatus.UNSUPPORTED

GOOD_TEXT = "The harbour crane lifts forty tonnes."


@dataclass(frozen=True, slots=True)
class Hostile:
    """
    A file and what may become of it.

    Attributes:
        path: may hold bytes that are no UTF-8.
        expected: statuses that are right; more than one where it depends on the machine.
        holds: words that must be read from it.
    """

    path: Path
    expected: frozenset[DocumentStatus]
    holds: str = ""


def make_pdf(objects: Iterable[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF from its objects, numbered from 1, of which the first is the catalogue."""
    body = io.BytesIO()
    body.write(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(body.tell())
        body.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = body.tell()
    body.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
    for offset in offsets:
        body.write(b"%010d 00000 n \n" % offset)
    body.write(b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(offsets) + 1, trailer))
    body.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return body.getvalue()


def make_stream(content: bytes, extra: bytes = b"") -> bytes:
    """A stream object, not compressed."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def make_page_pdf(
    content: bytes,
    *,
    media_box: bytes = b"0 0 595 842",
    extra: bytes = b"",
    pages: int = 1,
    trailer: bytes = b"",
) -> bytes:
    """A PDF whose pages all show one content stream; Helvetica is `/F1`, its bold `/F2`."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    bold = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>"
    kids = b" ".join(b"%d 0 R" % (6 + index) for index in range(pages))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 5 0 R "
        b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> %s >>" % (media_box, extra)
    )
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids)
    return make_pdf([catalogue, tree, font, bold, make_stream(content), *[page] * pages], trailer=trailer)


def show_text(text: str, x: float = 72, y: float = 700, size: float = 12, font: str = "F1") -> bytes:
    """Operators that show one line; y counts from the bottom of the page."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{font} {size} Tf {x} {y} Td ({escaped}) Tj ET\n".encode("latin-1")


def good_pdf(text: str = GOOD_TEXT) -> bytes:
    """A sound PDF of one page."""
    return make_page_pdf(show_text(text))


def zero_pages() -> bytes:
    """A page tree without pages."""
    return make_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 0 /Kids [] >>"])


def nested_forms() -> bytes:
    """Ten levels of forms, each of which draws the next one ten times: 2 KB, ten thousand million drawings."""
    forms = []
    for level in range(10):
        calls = b"/X Do " * 10 if level < 9 else b"0 0 m 1 1 l S " + show_text("x")
        below = b"/Resources << /XObject << /X %d 0 R >> >>" % (7 + level) if level < 9 else b""
        forms.append(make_stream(calls, b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] " + below))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /XObject << /X 6 0 R >> >> >>"
    )
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
    return make_pdf([catalogue, tree, page, make_stream(b"/X Do " * 10), b"null", *forms])


def flate_bomb(size_bytes: int = 4_000_000_000) -> bytes:
    """A content stream, packed twice, that unpacks to gigabytes of text operators."""
    squeeze = zlib.compressobj(9)
    unit = show_text("bomb") * 20_000
    header = squeeze.compress(b"") + squeeze.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers back, so the same packed bytes can follow again; the checksum is wrong.
    block = squeeze.compress(unit) + squeeze.flush(zlib.Z_FULL_FLUSH)
    inner = header + block * (size_bytes // len(unit)) + squeeze.flush()
    packed = zlib.compress(inner, 9)
    stream = make_stream(packed, b"/Filter [/FlateDecode /FlateDecode]")
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>"
    )
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    return make_pdf([catalogue, b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page, stream, font])


def deep_nesting(depth: int = 20_000) -> bytes:
    """Arrays within arrays in the page tree."""
    kids = b"[" * depth + b"]" * depth
    return make_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids %s >>" % kids])


def docx_bomb(size_bytes: int = 100_000_000) -> bytes:
    """A text document of some hundred kilobytes that unpacks to a hundred megabytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            chunk = b"<w:p><w:r><w:t>bomb</w:t></w:r></w:p>" * 100_000
            for _ in range(size_bytes // len(chunk)):
                member.write(chunk)
    return buffer.getvalue()


def docx() -> bytes:
    """A small text document."""
    content = (
        '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{GOOD_TEXT}</w:t></w:r></w:p></w:body></w:document>"
    )
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Target="word/document.xml" Type='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("word/document.xml", content)
    return buffer.getvalue()


def image_bomb() -> bytes:
    """A PNG of 30,000 by 30,000 pixels in a few hundred kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    return buffer.getvalue()


def locked_pdf() -> bytes:
    """A PDF that needs a password; the key does not matter, for none is given."""
    encryption = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]" % (
        b"11" * 32,
        b"22" * 32,
        b"33" * 16,
        b"33" * 16,
    )
    return make_page_pdf(show_text("secret"), trailer=encryption)


def flipped(content: bytes, seed: int = 20261122) -> bytes:
    """The same bytes with sixteen bits flipped."""
    damaged = bytearray(content)
    chance = random.Random(seed)
    for _ in range(16):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


_FILES: tuple[tuple[str, Callable[[], bytes], frozenset[DocumentStatus]], ...] = (
    ("zero-pages.pdf", zero_pages, frozenset({EMPTY})),
    ("empty.pdf", bytes, frozenset({EMPTY})),
    ("empty.txt", bytes, frozenset({EMPTY})),
    ("locked.pdf", locked_pdf, frozenset({LOCKED})),
    (
        "truncated.pdf",
        lambda: make_page_pdf(show_text(GOOD_TEXT), pages=3)[:900],
        frozenset({PARTIAL, EMPTY, CORRUPT}),
    ),
    ("flipped.pdf", lambda: flipped(good_pdf()), frozenset({OK, PARTIAL, EMPTY, CORRUPT})),
    ("noise.pdf", lambda: random.Random(1).randbytes(20_000), frozenset({CORRUPT, EMPTY})),
    ("deep-nesting.pdf", deep_nesting, frozenset({EMPTY, CORRUPT, PARTIAL})),
    ("nested-forms.pdf", nested_forms, frozenset({TIMEOUT, TOO_LARGE})),
    ("flate-bomb.pdf", flate_bomb, frozenset({TIMEOUT, TOO_LARGE})),
    (
        "huge-page.pdf",
        lambda: make_page_pdf(show_text(GOOD_TEXT, size=300), media_box=b"0 0 14400 14400"),
        frozenset({OK}),
    ),
    ("bomb.docx", docx_bomb, frozenset({TOO_LARGE})),
    ("bomb.png", image_bomb, frozenset({TOO_LARGE})),
    ("truncated.png", lambda: image_bomb()[:4000], frozenset({TOO_LARGE})),
    ("really-html.pdf", lambda: f"<!DOCTYPE html><p>{GOOD_TEXT}</p>".encode(), frozenset({PARTIAL})),
    ("unknown.xyz", lambda: b"\x00\x01\x02", frozenset({UNSUPPORTED})),
    ("binary.txt", lambda: bytes(range(256)) * 20, frozenset({CORRUPT})),
    ("good.pdf", good_pdf, frozenset({OK})),
    ("good.txt", GOOD_TEXT.encode, frozenset({OK})),
    ("good.md", f"# Cranes\n\n{GOOD_TEXT}\n".encode, frozenset({OK})),
    ("good.html", f"<h1>Cranes</h1><p>{GOOD_TEXT}</p>".encode, frozenset({OK})),
    ("with space and ümläut 港.pdf", good_pdf, frozenset({OK})),
    ("line\nend.pdf", good_pdf, frozenset({OK})),
    ("-rf.pdf", good_pdf, frozenset({OK})),
    (os.fsdecode(b"latin-\xe9\xff.pdf"), good_pdf, frozenset({OK})),
)


def make_hostile_folder(folder: Path) -> list[Hostile]:
    """Write the files into an empty folder, a link out of it and a pipe among them."""
    made = []
    for name, content, expected in _FILES:
        path = folder / name
        path.write_bytes(content())
        made.append(Hostile(path, expected, GOOD_TEXT if expected == {OK} or "html" in name else ""))
    outside = folder.parent / "outside.pdf"
    outside.write_bytes(good_pdf("outside"))
    (folder / "link.pdf").symlink_to(outside)
    os.mkfifo(folder / "pipe.pdf")
    special = ("link.pdf", "pipe.pdf")
    return made + [Hostile(folder / name, frozenset({UNSUPPORTED})) for name in special]


def epub(text: str = GOOD_TEXT) -> bytes:
    """An e-book of one chapter."""
    container = (
        '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="2.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The harbour book</dc:title></metadata><manifest>'
        '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    chapter = f'<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Cranes</h1><p>{text}</p></body></html>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("book.opf", package)
        archive.writestr("c.xhtml", chapter)
    return buffer.getvalue()


def svg(text: str = GOOD_TEXT) -> bytes:
    """A drawing with a line of text, and a picture that must not be fetched."""
    return (
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'width="400" height="100"><image xlink:href="http://127.0.0.1:9/x.png" width="10" height="10"/>'
        f'<text x="10" y="50" font-size="12">{text}</text></svg>'
    ).encode()


def comic() -> bytes:
    """Two pictures in a ZIP file."""
    picture = io.BytesIO()
    Image.new("RGB", (60, 90), "red").save(picture, "PNG")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.png", picture.getvalue())
        archive.writestr("2.png", picture.getvalue())
    return buffer.getvalue()
