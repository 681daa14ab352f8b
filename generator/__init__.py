"""Answerers: from a context to an answer with citations."""
