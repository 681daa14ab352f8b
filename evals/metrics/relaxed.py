"""Relaxed accuracy, as ChartQA scores answers (Masry et al., 2022)."""

from __future__ import annotations

__all__ = ["relaxed_accuracy"]

_TOLERANCE = 0.05


def relaxed_accuracy(prediction: str, reference: str) -> float:
    """
    Return 1 when a number lies within 5 % of the reference or another text equals it in any case, else 0.

    "12%" is 0.12. A reference of 0 has no 5 %: it is compared as text. As in the usual code, numbers are read by
    Python's rules, so "1,200" is none.
    """
    given, wanted = _number(prediction), _number(reference)
    if given is not None and wanted:
        return float(abs(given - wanted) / abs(wanted) <= _TOLERANCE)
    return float(prediction.strip().lower() == reference.strip().lower())


def _number(text: str) -> float | None:
    text = text.strip()
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None
