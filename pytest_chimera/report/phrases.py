"""Phrases that have no place in a report: questions to the reader, offers, and texts of errors told as findings."""

from __future__ import annotations

import re

QUESTION = re.compile(
    r"\?|\b(?:would you like|let me know|please (?:provide|share|specify)|feel free to)\b", re.IGNORECASE
)
"""Asks or offers something."""
ERROR = re.compile(
    r"\bHTTP(?:/\d(?:\.\d)?)? ?[1-5]\d\d\b|\b[45]\d\d (?:not found|internal|bad|service|server|error)"
    r"|internal server error|bad gateway|connection (?:refused|reset)|traceback \(most|errno \d|urlopen error",
    re.IGNORECASE,
)
"""Is the text of an HTTP or network error."""
