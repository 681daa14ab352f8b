"""Text that is in a page's text layer and not on the page."""

from ragvl.indexers.readers.hidden.finding import HiddenText
from ragvl.indexers.readers.hidden.layer import RawWord, TextLayer, read_layer
from ragvl.indexers.readers.hidden.reasons import Found, Reason

__all__ = ["Found", "HiddenText", "RawWord", "Reason", "TextLayer", "read_layer"]
