"""Everything pytest-chimera raises, in one tree; each message says what came in, what is accepted, what to do next.

    ChimeraError
    ├── UserError                what a person asked for cannot be done as written
    │   ├── SettingError         an option of the command line, ini file or environment
    │   ├── MarkerError          an argument of @pytest.mark.chimera or of a chimera(...) call
    │   ├── OptionError          a model option (num_ctx, ...) that Ollama does not know or of the wrong type
    │   ├── LimitError           an expression of what must hold ("tok/s >= 30")
    │   ├── QuantityError        a quantity with its unit ("2 s", "30 tok/s")
    │   ├── PersonaError         a persona that is missing or malformed
    │   └── ModelError           a model name that no server here can answer for
    ├── MissingExtraError        an optional package is absent; names the pip line
    ├── RecordError              a saved or transported record that cannot be read back
    ├── HostError                an Ollama server could not be used
    │   ├── HostUnreachableError no connection
    │   └── HostAnswerError      it answered, but with an error or not as Ollama answers
    └── EngineError              the engine that the plugin starts itself did not start, or stopped

A failed *request* of a measurement is not raised but recorded: `records.Failure` within its `Generation`.
Every one of them survives pickling, because xdist sends them between processes.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that proposes the known name most like `name`, or nothing: "Did you mean 'num_ctx'?"."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {found[0]!r}?" if found else ""


class ChimeraError(Exception):
    """Base of everything raised here; `str()` of it is the whole text that a person reads."""

    def __init__(self, what: str, accepted: str = "", next_step: str = "") -> None:
        """`what` came in, what is `accepted` instead, and the `next_step`: each one or more full sentences."""
        super().__init__(what, accepted, next_step)
        self.what = what
        self.accepted = accepted
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.accepted, self.next_step) if part)


class UserError(ChimeraError):
    """What a person asked for cannot be done as written."""


class SettingError(UserError):
    """An option of the command line, the ini file or the environment is not usable."""


class MarkerError(UserError):
    """An argument of the marker or of a `chimera(...)` call is not usable."""


class OptionError(UserError):
    """A model option has a name that Ollama does not know, or a value of the wrong type."""


class LimitError(UserError):
    """An expression of what must hold cannot be read."""


class QuantityError(UserError):
    """A quantity with a unit cannot be read."""


class PersonaError(UserError):
    """A persona is missing or malformed."""


class ModelError(UserError):
    """No server here can answer for this model name."""


class MissingExtraError(ChimeraError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtraError:
        """The error for `package`, needed for `purpose`, that the extra called `extra` brings."""
        return cls(
            f"{purpose} needs the package {package!r}, which is not installed.",
            "",
            f"Install it with: pip install 'pytest-chimera[{extra}]'",
        )


class RecordError(ChimeraError):
    """A saved or transported record cannot be read back."""


class HostError(ChimeraError):
    """An Ollama server could not be used."""


class HostUnreachableError(HostError):
    """No connection could be made."""


class HostAnswerError(HostError):
    """The server answered with an error, or not as Ollama answers."""


class EngineError(ChimeraError):
    """The engine that the plugin starts itself did not start, or stopped."""
