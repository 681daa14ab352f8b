"""
Fit when the extractive answerer refuses, and draw what each threshold costs.

    python scripts/calibrate_refusal.py DATA --index INDEX [--write]

DATA holds `questions.jsonl` (fields `document`, `question`, `answer_format`, `evidence_pages`; the format "None"
marks a question that the documents do not answer) and INDEX is an index of its documents. An answer is right when
the page it cites is an evidence page. The curve is of held-out questions: the model that judges one has not seen
any question about the same document.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ragvl
from ragvl.evals.datasets import load_set
from ragvl.evals.metrics import risk_coverage
from ragvl.evals.support_examples import Examples, collect
from ragvl.evals.support_model import cross_fitted, fit, folds_of
from ragvl.generator.extractive import ExtractiveGenerator

Floats = NDArray[np.float64]

_ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Print the curve; with --write, keep the calibration and the drawing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--refuse-below", type=float, default=0.5)
    parser.add_argument(
        "--write", action="store_true", help="write generator/calibration.json and docs/refusal.*"
    )
    arguments = parser.parse_args()
    corpus = load_set(arguments.data)
    with ragvl.open(arguments.index) as library:
        if not isinstance(library.generator(), ExtractiveGenerator):
            raise SystemExit("the index must be of a profile that answers with quotes")
        examples = collect(library, corpus)
    held_out = cross_fitted(examples.features, examples.right, folds_of(examples.documents.tolist()))
    weights, intercept = fit(examples.features, examples.right)
    table = curve_table(examples, held_out, arguments.refuse_below)
    sys.stdout.write(table)
    if arguments.write:
        _write(examples, weights, intercept, arguments.refuse_below, held_out, table)
    return 0


def curve(examples: Examples, support: Floats, thresholds: Floats) -> Floats:
    """(thresholds, 4): share refused, wrong page cited, right page cited; unanswerable questions refused."""
    risks = risk_coverage(support.tolist(), examples.right.tolist())
    rows = []
    for threshold in thresholds:
        answered = risks.at(threshold)
        wrong = answered.coverage * answered.risk
        refused_rightly = (support < threshold)[~examples.answerable].mean()
        rows.append((1 - answered.coverage, wrong, answered.coverage - wrong, refused_rightly))
    return np.array(rows)


def curve_table(examples: Examples, support: Floats, chosen: float) -> str:
    """The curve as a Markdown table; shares of all questions, the last two columns of their own kind."""
    thresholds = np.unique(np.append(np.arange(0.0, 0.91, 0.1), chosen))
    columns = (
        "refuse below",
        "refused",
        "wrong page cited",
        "right page cited",
        "right, of those answered",
        "unanswerable refused",
    )
    unanswerable_count = int((~examples.answerable).sum())
    lines = [f"{len(support)} questions, {unanswerable_count} of them unanswerable.", ""]
    lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for threshold, (refused, wrong, right, unanswerable) in zip(
        thresholds, curve(examples, support, thresholds), strict=True
    ):
        precision = right / (right + wrong) if right + wrong else 1.0
        mark = " **(default)**" if np.isclose(threshold, chosen) else ""
        lines.append(
            f"| {threshold:.2f}{mark} | {refused:.3f} | {wrong:.3f} | {right:.3f} | {precision:.3f} | {unanswerable:.3f} |"
        )
    return "\n".join(lines) + "\n"


def draw(examples: Examples, support: Floats, chosen: float) -> str:
    """The curve as an SVG: share refused against share of all questions with a wrong page cited."""
    points = curve(examples, support, np.linspace(0, 1, 101))
    ((refused, wrong, _, _),) = curve(examples, support, np.array([chosen]))
    left, top, width, height = 70, 30, 520, 300
    x = [left + width * share for share in points[:, 0]]
    y = [top + height * (1 - share / 0.6) for share in points[:, 1]]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    grid = "".join(
        f'<line x1="{left}" x2="{left + width}" y1="{top + height * (1 - s / 0.6):.1f}" '
        f'y2="{top + height * (1 - s / 0.6):.1f}" stroke="#d8d8d4"/>'
        f'<text x="{left - 10}" y="{top + height * (1 - s / 0.6) + 4:.1f}" text-anchor="end">{s:.0%}</text>'
        for s in (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    ) + "".join(
        f'<text x="{left + width * s:.1f}" y="{top + height + 20}" text-anchor="middle">{s:.0%}</text>'
        for s in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    dot_x, dot_y = left + width * refused, top + height * (1 - wrong / 0.6)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="system-ui, sans-serif" '
        'font-size="12" fill="#444"><rect width="640" height="400" fill="#fff"/>'
        f'{grid}<polyline points="{path}" fill="none" stroke="#1f6f78" stroke-width="2.5"/>'
        f'<circle cx="{dot_x:.1f}" cy="{dot_y:.1f}" r="5" fill="#c8502b"/>'
        f'<text x="{dot_x + 10:.1f}" y="{dot_y - 8:.1f}" fill="#c8502b">default: {refused:.0%} refused, '
        f"{wrong:.0%} wrong page</text>"
        f'<text x="{left + width / 2}" y="{top + height + 46}" text-anchor="middle">questions refused</text>'
        f'<text x="18" y="{top + height / 2}" text-anchor="middle" transform="rotate(-90 18 {top + height / 2})">'
        "questions with a wrong page cited</text></svg>\n"
    )


def _write(
    examples: Examples, weights: Floats, intercept: float, chosen: float, support: Floats, table: str
) -> None:
    calibration = {
        "fitted_by": "scripts/calibrate_refusal.py",
        "questions": len(support),
        "weights": {
            name: round(float(weight), 4) for name, weight in zip(examples.names, weights, strict=True)
        },
        "intercept": round(intercept, 4),
        "refuse_below": chosen,
    }
    target = _ROOT / "generator" / "calibration.json"
    target.write_text(json.dumps(calibration, indent=2) + "\n", encoding="utf-8")
    (_ROOT / "docs" / "refusal.svg").write_text(draw(examples, support, chosen), encoding="utf-8")
    (_ROOT / "docs" / "refusal-curve.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
