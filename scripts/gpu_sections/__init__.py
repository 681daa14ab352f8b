"""The sections of gpu_check.py: each is run in a process of its own and returns numbers."""
