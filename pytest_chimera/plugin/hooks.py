"""Hooks (placeholder while the rooms below are built)."""
