"""What came of a calibration, in sentences."""

from __future__ import annotations

from ragvl.evals.calibration import Calibrated

__all__ = ["tried_out", "verdict", "what_it_takes"]


def verdict(calibrated: Calibrated) -> str:
    """Say what is promised, or that nothing can be."""
    promise, chosen = calibrated.promise, calibrated.chosen
    if chosen is None:
        return (
            f"No threshold can promise it: that at most {promise.error:.1%} of the answers given cite a wrong page, at "
            f"{promise.confidence:.0%} confidence."
        )
    return (
        f"Refuse below {chosen.refuse_below:.3f}: {chosen.answered_share:.1%} of the questions are answered, and at most "
        f"{promise.error:.1%} of these answers cite a wrong page, at {promise.confidence:.0%} confidence; seen: "
        f"{chosen.wrong} of {chosen.answered}."
    )


def tried_out(calibrated: Calibrated) -> str:
    """Say what the choice cost on documents left out of it; "" where it was not tried."""
    tried = calibrated.try_out
    if tried is None:
        return ""
    if not tried.answered:
        return "Chosen without one part of the documents after the other, no threshold can promise it: a near thing."
    return (
        f"Chosen on other documents: {tried.answered / tried.asked:.1%} answered, {tried.wrong} of {tried.answered} "
        f"({tried.wrong / tried.answered:.1%}) with a wrong page, at most {tried.wrong_at_most:.1%}."
    )


def what_it_takes(calibrated: Calibrated) -> str:
    """Say what would be needed where nothing was chosen; "" where something was."""
    if calibrated.chosen is not None:
        return ""
    ways = []
    if calibrated.least_error is not None:
        ways.append(f"--error {calibrated.least_error:.2f}, the smallest that these questions can show")
    if calibrated.questions_needed is not None:
        ways.append(f"about {calibrated.questions_needed:,} questions that are answered as well as these")
    if calibrated.questions_needed is None:
        told = "What it would take: answers that are right more often; many more questions would hardly do."
        return f"{told} Or {ways[0]}." if ways else told
    return f"What it would take: {', or '.join(ways)}."
