"""The tree of errors: one base, three parts, and every class survives the way between processes."""

from __future__ import annotations

import inspect
import pickle

import pytest

from pytest_chimera import errors

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, errors.ChimeraError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_survives_pickling(kind: type[errors.ChimeraError]) -> None:
    """An error of every class keeps its class and its three parts through pickle, as xdist needs."""
    copy = pickle.loads(pickle.dumps(kind("It came.", "That is accepted.", "Do this.")))
    assert (type(copy), copy.what, copy.accepted, copy.next_step) == (kind, "It came.", "That is accepted.", "Do this.")


def test_text_has_three_parts_in_order() -> None:
    """The text of an error is what came in, what is accepted, what to do next; empty parts leave no gap."""
    assert str(errors.UserError("A.", "B.", "C.")) == "A. B. C."
    assert str(errors.UserError("A.", "", "C.")) == "A. C."


def test_docstring_draws_the_whole_tree() -> None:
    """Every class of the tree stands in the drawing at the top of the module."""
    assert errors.__doc__ is not None
    assert [each.__name__ for each in CLASSES if each.__name__ not in errors.__doc__] == []


def test_missing_extra_names_the_pip_line() -> None:
    """A missing optional package is answered with the command that installs it."""
    error = errors.MissingExtraError.of("pygal", "plots", "The picture of TTFT")
    assert str(error) == (
        "The picture of TTFT needs the package 'pygal', which is not installed. "
        "Install it with: pip install 'pytest-chimera[plots]'"
    )


def test_nearest_proposes_only_what_is_alike() -> None:
    """A misspelt name gets the known name most like it; an unlike one gets no proposal."""
    assert errors.nearest("num_ctxx", ["num_ctx", "seed"]) == "Did you mean 'num_ctx'?"
    assert errors.nearest("colour", ["num_ctx", "seed"]) == ""
