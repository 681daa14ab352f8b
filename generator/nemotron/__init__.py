"""Nemotron Nano 12B v2 VL, run by ragvl itself: checkpoint, hybrid language model, generation."""
