"""Reports: self-contained HTML pages over runs, over a calibration, and over drafts of questions."""

from ragvl.evals.report.calibration import calibration_page
from ragvl.evals.report.drafts import drafts_page
from ragvl.evals.report.page import report_page
from ragvl.evals.report.series import ReportError

__all__ = ["ReportError", "calibration_page", "drafts_page", "report_page"]
