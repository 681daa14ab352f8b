"""Questions about one's own documents: proposed from their pages, kept in a file, reviewed by a person."""

from ragvl.evals.drafting.choice import draft_questions
from ragvl.evals.drafting.draft import Draft
from ragvl.evals.drafting.folder import QuestionFile, QuestionFileError, Row, check_free, lay_out
from ragvl.evals.drafting.pages import FolderPages, read_folder

__all__ = [
    "Draft",
    "FolderPages",
    "QuestionFile",
    "QuestionFileError",
    "Row",
    "check_free",
    "draft_questions",
    "lay_out",
    "read_folder",
]
