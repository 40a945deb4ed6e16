"""The claim check as its users see it."""

from __future__ import annotations


