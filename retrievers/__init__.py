"""Lanes, fusion and context: from a question to ranked pages."""
