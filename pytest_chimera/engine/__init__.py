"""The engine: an Ollama-protocol server on loopback, for people and machines without an Ollama.

This package file stays free of imports, so that naming a module of the room does not load the others.
"""
