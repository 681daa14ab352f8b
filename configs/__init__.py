"""Configuration presets, one YAML file a profile."""
