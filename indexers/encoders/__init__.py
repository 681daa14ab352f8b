"""Encoders: text to vectors whose inner product is their similarity."""

from ragvl.indexers.encoders.embedded import EmbeddedTextEncoder

__all__ = ["EmbeddedTextEncoder"]
