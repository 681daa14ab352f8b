"""
The bytes of a segment of pages, in the order in which they are written.

A segment is its mark (8 bytes), two records a page (see `records.py`), the foot (see `foot.py`), and the foot's length (uint64,
little-endian) with the mark again. The SHA-256 of the foot is kept outside the file. It vouches for the foot, the foot's
digests vouch for the records, and the rest can have only one value: no bit of the file can change unnoticed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator

from ragvl.indexers.multivector.codes import OwnedPage
from ragvl.indexers.multivector.foot import FootDraft
from ragvl.indexers.multivector.records import digest_of, fine_record, token_record

MARK = b"RAGVLMV1"
TRAILER = struct.Struct("<Q8s")


class SegmentWriter:
    """
    Makes one segment; memory grows by what the foot takes, about 550 bytes a page.

    Attributes:
        digest: SHA-256 of the foot, in hexadecimal; "" until all chunks were taken.
        pages: how many were written.
    """

    def __init__(self) -> None:
        self.digest = ""
        self.pages = 0

    def chunks(self, pages: Iterable[OwnedPage]) -> Iterator[bytes]:
        """
        Yield the file's bytes in order; once for each writer.

        Raises:
            ValueError: there is no page, or pages differ in dimension or coarse vectors.
        """
        yield MARK
        foot = FootDraft()
        for page in pages:
            fine, tokens = fine_record(page.codes), token_record(page.codes)
            foot.add(page, digest_of(fine) + digest_of(tokens))
            yield fine + tokens
        length, checksum = 0, hashlib.sha256()
        for chunk in foot.chunks():
            length += len(chunk)
            checksum.update(chunk)
            yield chunk
        yield TRAILER.pack(length, MARK)
        self.digest, self.pages = checksum.hexdigest(), foot.pages
