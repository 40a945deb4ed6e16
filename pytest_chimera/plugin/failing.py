"""How a test fails from here: with a text for people, at the person's own line, and without a frame of ours.

The failure is pytest's own, raised in the phase it belongs to, so that xfail, `-x`, `--lf` and `--pdb` work on it.
"""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.errors import ChimeraError, UserError
from pytest_chimera.plugin.session import get_session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_WIDEST = 200
"""Characters of a line of a note."""


@contextlib.contextmanager
def spoken(item: pytest.Item) -> Generator[None]:
    """Turn what is raised here into a failure of `item` that shows its text alone."""
    try:
        yield
    except ChimeraError as error:
        failed = failure(item, error)
    else:
        return
    finally:
        get_session(item.config).clear_line()  # Ctrl-C in a round leaves one behind
    raise failed from None


def failure(item: pytest.Item, error: ChimeraError) -> BaseException:
    """pytest's failure with the text of `error`; for a mistake of the person, after the file and line it stands in."""
    last = _last_in(item, error.__traceback__)
    of_suite: Callable[[ChimeraError], str] | None = getattr(item, "told", None)
    text = str(error) if of_suite is None else of_suite(error)
    if isinstance(error, UserError) and last is not None:
        text = f"{item.nodeid.split('::', maxsplit=1)[0]}:{last.tb_lineno}: {text}"
    text = "\n\n".join([text, *map(_shortened, getattr(error, "__notes__", ()))])  # Hypothesis says so what it drew
    failed = pytest.fail.Exception(text, pytrace=False)
    if last is None:
        return failed
    # The person's frame alone, so that --pdb opens there
    return failed.with_traceback(TracebackType(None, last.tb_frame, last.tb_lasti, last.tb_lineno))


def _shortened(note: str) -> str:
    """A note without the ends of its longest lines: a prompt of any length stands in the text before it."""
    return "\n".join(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}..." for line in note.splitlines())


def _last_in(item: pytest.Item, traceback: TracebackType | None) -> TracebackType | None:
    """The innermost frame that lies in the file of the test."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(item.path):
            found = traceback
        traceback = traceback.tb_next
    return found
