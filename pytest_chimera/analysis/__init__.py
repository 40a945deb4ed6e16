"""Measurements -> findings: pure functions, whose every number is a Fact."""
