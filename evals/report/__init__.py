"""Reports: one self-contained HTML page over runs, and one over drafts of questions."""

from ragvl.evals.report.drafts import drafts_page
from ragvl.evals.report.page import report_page
from ragvl.evals.report.series import ReportError

__all__ = ["ReportError", "drafts_page", "report_page"]
