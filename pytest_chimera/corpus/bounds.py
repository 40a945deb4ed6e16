"""What one file and one corpus may cost; what goes beyond is said and left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bounds of reading; a file beyond one of them costs one line in the report."""

    file_bytes: int = 64 * 1024**2
    """The largest file that is read."""
    json_values: int = 4_000_000
    """Values of one JSON file, estimated by its commas and brackets before it is parsed: each costs some 60 bytes."""
    yaml_bytes: int = 4 * 1024**2
    columns: int = 4096
    """Columns of a table."""
    depth: int = 64
    """Levels of nesting that are looked into."""
    line_chars: int = 1024**2
    """The longest line of a text that is looked at."""
    files: int = 1_000_000
    names: int = 64
    """Names of columns or keys that are kept of a file."""
    remarks: int = 50
    """Lines about one file; what is beyond is counted in one."""
    quote: int = 80
    """Characters that are repeated from a file."""
