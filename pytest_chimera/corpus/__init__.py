"""Folders of old results: every file read, every number with its place, and everything that was not understood.

`read_corpus` is the way in. Nothing here computes statistics, prints, or knows pytest.
"""
