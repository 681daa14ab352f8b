"""Readers: from a file of some media type to pages, words and boxes."""
