"""Text to tokens and back, where no text can become a token that has a meaning of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from ragvl.errors import ModelFileError

__all__ = ["PromptTokenizer"]

_FILE = "tokenizer.json"
_TAGS = ("<think>", "</think>")


class PromptTokenizer:
    """
    The checkpoint's tokenizer, as its file has it.

    Args:
        folder: of the checkpoint.

    Raises:
        ModelFileError: `tokenizer.json` is absent or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        try:
            written = self._path.read_text(encoding="utf-8")
            self._tokenizer = Tokenizer.from_str(written)
        except FileNotFoundError as error:
            raise ModelFileError(
                f"{self._path} does not exist; copy it from the model's repository"
            ) from error
        except Exception as error:  # tokenizers raises nothing more exact
            raise ModelFileError(f"{self._path} cannot be read: {error}; fetch it again") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # as text, that is
        added = self._tokenizer.get_added_tokens_decoder()
        self._tags = {token.content: number for number, token in added.items() if token.content in _TAGS}
        self._silent = {number for number, token in added.items() if token.special} - set(self._tags.values())
        # An added token is found in any text unless it is cut apart; those of one character mean themselves.
        self._reserved = self._silent | {n for n, token in added.items() if len(token.content) > 1}

    def marker(self, text: str) -> int:
        """
        Find the id of a special token, such as "<SPECIAL_11>".

        Raises:
            ModelFileError: the tokenizer does not have it.
        """
        number: int | None = self._tokenizer.token_to_id(text)
        if number is None:
            raise ModelFileError(
                f"{self._path} has no token {text}; is it that of Nemotron Nano 12B v2 VL, and of the same revision?"
            )
        self._reserved.add(number)
        self._silent.add(number)
        return number

    def encode(self, text: str) -> list[int]:
        """Tokenise text of any origin: what looks like a special token in it is text."""
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        spans = [
            span
            for number, span in zip(encoding.ids, encoding.offsets, strict=True)
            if number in self._reserved
        ]
        if not spans:
            ids: list[int] = encoding.ids
            return ids
        return [number for piece in _cut(text, spans) for number in self.encode(piece)]

    def encode_own(self, text: str) -> list[int]:
        """Tokenise text that ragvl wrote itself: tags around thoughts are tokens where the tokenizer has them."""
        if not self._tags:
            return self.encode(text)
        pieces = re.split(f"({'|'.join(map(re.escape, self._tags))})", text)
        return [
            number
            for piece in pieces
            for number in ([self._tags[piece]] if piece in self._tags else self.encode(piece))
        ]

    def decode(self, ids: Iterable[int]) -> str:
        """Turn tokens into text; special ones have none."""
        kept = [number for number in ids if number not in self._silent]
        text: str = self._tokenizer.decode(kept, skip_special_tokens=False)
        return text


def _cut(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """Cut a text in the middle of each span; a character that became a special token by itself is left out."""
    pieces, start = [], 0
    for first, last in spans:
        middle = (first + last) // 2
        pieces.append(text[start:middle])
        start = middle if last - first > 1 else last
    return [piece for piece in [*pieces, text[start:]] if piece]
