"""A threshold that was chosen on somebody's own questions, kept in the index that it is about."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ragvl.config import GeneratorConfig
from ragvl.generator.extractive import ExtractiveGenerator
from ragvl.generator.support import Calibration, shipped_calibration
from ragvl.protocols import Generator

__all__ = ["IndexCalibration", "calibration_of", "setting_of", "with_model"]

logger = logging.getLogger(__name__)

_PREFIX = "calibration."


@dataclass(frozen=True, slots=True)
class IndexCalibration:
    """
    When the answers of one generator over one index are refused, and what was promised of the others.

    Attributes:
        refuse_below: support under which an answer is refused, from 0 to 1.
        weights, intercept: of the support model fitted on these questions; no weights for the shipped model, or for a
            generator that has none.
        questions: what it was chosen on: the name of the set.
        revision: of the set.
        asked, answered, wrong: questions in all, those answered at the threshold, and those of them with a wrong page.
        error: largest share of wrong pages among the answers given that was asked for.
        wrong_at_most: the bound of that share, at the threshold.
        confidence: how sure the promise is.
        made_at: ISO 8601, UTC.
    """

    refuse_below: float
    questions: str
    revision: str
    asked: int
    answered: int
    wrong: int
    error: float
    wrong_at_most: float
    confidence: float
    made_at: str
    weights: Mapping[str, float] = field(default_factory=dict)
    intercept: float = 0.0

    def as_setting(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def setting_of(config: GeneratorConfig) -> str:
    """Name the setting of an index that holds the calibration of a generator: each served model has its own."""
    model = f".{config.endpoint.model}" if config.name == "endpoint" and config.endpoint.model else ""
    return f"{_PREFIX}{config.name}{model}"


def calibration_of(settings: Mapping[str, Any], config: GeneratorConfig) -> IndexCalibration | None:
    """Read the calibration of a generator from the settings of an index; None where there is none that it can use."""
    held = settings.get(setting_of(config))
    if not isinstance(held, Mapping):
        return None
    known = {one.name for one in fields(IndexCalibration)}  # a newer ragvl may have noted more
    calibration = IndexCalibration(**{name: value for name, value in held.items() if name in known})
    if calibration.weights and calibration.weights.keys() != shipped_calibration().weights.keys():
        logger.warning(
            "the index was calibrated by a ragvl that looked at other features; the shipped threshold is used. "
            "Run `ragvl calibrate` again"
        )
        return None
    return calibration


def with_model(generator: Generator, calibration: IndexCalibration | None) -> Generator:
    """Give a generator the support model of a calibration, where both have one; else return it as it is."""
    if calibration is None or not calibration.weights or not isinstance(generator, ExtractiveGenerator):
        return generator
    model = Calibration(calibration.weights, calibration.intercept, calibration.refuse_below)
    return generator.with_model(model)
