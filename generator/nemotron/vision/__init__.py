"""From pictures to features that the language model reads: tiles, C-RADIOv2-H, projector, cache."""
