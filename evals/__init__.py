"""Metrics and datasets to compare configurations on."""
