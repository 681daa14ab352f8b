"""Metrics over what a system found, answered, cited and refused."""

from __future__ import annotations

from ragvl.evals.metrics.answers import ANSWER_RULES, AnswerEvaluation, evaluate_answers, score_answer
from ragvl.evals.metrics.citations import CitationEvaluation, evaluate_citations
from ragvl.evals.metrics.context import context_run, score_context
from ragvl.evals.metrics.groups import GroupScores, group_queries, group_scores
from ragvl.evals.metrics.measures import Measure, parse_measure
from ragvl.evals.metrics.refusal import (
    CoveragePoint,
    RefusalEvaluation,
    RiskCoverage,
    evaluate_refusal,
    risk_coverage,
)
from ragvl.evals.metrics.regions import Overlap, overlap, score_regions
from ragvl.evals.metrics.retrieval import Scores, mean_scores, score_run

__all__ = [
    "ANSWER_RULES",
    "AnswerEvaluation",
    "CitationEvaluation",
    "CoveragePoint",
    "GroupScores",
    "Measure",
    "Overlap",
    "RefusalEvaluation",
    "RiskCoverage",
    "Scores",
    "context_run",
    "evaluate_answers",
    "evaluate_citations",
    "evaluate_refusal",
    "group_queries",
    "group_scores",
    "mean_scores",
    "overlap",
    "parse_measure",
    "risk_coverage",
    "score_answer",
    "score_context",
    "score_regions",
    "score_run",
]
