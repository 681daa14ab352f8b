"""What text and pictures cost the model that runs here: counted, not estimated."""

from __future__ import annotations

from ragvl.generator.nemotron.prompt.encoder import PromptEncoder

__all__ = ["PromptCost"]

_AROUND_PICTURE = 4  # <img>, </img>, and line ends that a tokenizer may part
_JOINT = 1  # texts that are counted alone and tokenised together


class PromptCost:
    """
    The `TokenCost` of Nemotron Nano VL.

    Args:
        encoder: that makes its prompts.
        context_tokens: tokens that question, context and answer may take together.
    """

    sees_images = True

    def __init__(self, encoder: PromptEncoder, context_tokens: int) -> None:
        self.context_tokens = context_tokens
        self._encoder = encoder

    def text_tokens(self, text: str) -> int:
        """Tokens of a text."""
        return len(self._encoder.tokenizer.encode(text)) + _JOINT

    def image_tokens(self, width_px: int, height_px: int) -> int:
        """
        Tokens of a picture of this size, its marker included.

        Raises:
            ValueError: it has no pixels.
        """
        return self._encoder.pictures.token_count(width_px, height_px) + _AROUND_PICTURE
