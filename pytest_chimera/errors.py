"""Everything pytest-chimera raises, in one tree; each message says what came in, what is accepted, what to do next.

    ChimeraError
    ├── UserError                what a person asked for cannot be done as written
    │   ├── SettingError         an option of the command line, ini file or environment
    │   ├── MarkerError          an argument of @pytest.mark.chimera or of a chimera(...) call
    │   ├── OptionError          a model option (num_ctx, ...) that Ollama does not know or of the wrong type
    │   ├── LimitError           an expression of what must hold ("tok/s >= 30")
    │   ├── QuantityError        a quantity with its unit ("2 s", "30 tok/s")
    │   ├── PersonaError         a persona that is missing or malformed
    │   ├── SuiteError           a *.chimera.yaml file that cannot be read as a suite
    │   ├── BaselineError        saved runs that are not there or cannot be compared with
    │   ├── CorpusError          a folder of artifacts, or a vocabulary, that is not there or cannot be used
    │   └── ModelError           a model name that no server here can answer for
    ├── MissingExtraError        an optional package is absent; names the pip line
    ├── RecordError              a saved or transported record that cannot be read back
    ├── HostError                an Ollama server could not be used
    │   ├── HostUnreachableError no connection
    │   │   └── one class per cause:
    │   │       NothingListensError, NameUnresolvedError, NetworkUnreachableError,
    │   │       ConnectTimeoutError, TlsFailedError, ProxyFailedError
    │   └── HostAnswerError      it answered, but with an error or not as Ollama answers
    │       └── one class per cause:
    │           NotUnloadedError, NoByteError, IdleTimeoutError, TotalTimeoutError, BadRequestError,
    │           PromptTooLongError, UnauthorizedError, ForbiddenError, ModelMissingError,
    │           RouteMissingError, MethodRefusedError, ServerBusyError, ServerFailedError,
    │           RedirectedError, UnexpectedStatusError, ErrorLineError, NoFinalChunkError,
    │           ClosedMidAnswerError, ResetMidAnswerError, NoAnswerError, NotHttpError, NotUtf8Error,
    │           NotJsonError, WrongShapeError, AbsurdDurationError, OnlyLoadedError
    └── EngineError              the engine that the plugin starts itself did not start, or stopped

A failed *request* of a measurement is not raised but recorded: `records.Failure` within its `Generation`, whose `cause`
is a key of `CAUSES`. Where a request is not part of a measurement (`chimera_model.generate`) that class is raised.
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


class SuiteError(UserError):
    """A file of cases in YAML is malformed; the text begins with file, line and column."""


class BaselineError(UserError):
    """Saved runs are not there, or a file of them cannot be used."""


class CorpusError(UserError):
    """A folder of artifacts, or the vocabulary to read it with, is not there or cannot be used."""


class ModelError(UserError):
    """No server here can answer for this model name."""


class MissingExtraError(ChimeraError, ImportError):
    """An optional package is not installed; also an ImportError, as which pytest shows it where a test file imports."""

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


class NothingListensError(HostUnreachableError):
    """Nothing listens at the address of the host."""


class NameUnresolvedError(HostUnreachableError):
    """The name of the host cannot be resolved."""


class NetworkUnreachableError(HostUnreachableError):
    """There is no way to the host."""


class ConnectTimeoutError(HostUnreachableError):
    """Connecting took longer than the request may."""


class TlsFailedError(HostUnreachableError):
    """The encrypted connection could not be made."""


class ProxyFailedError(HostUnreachableError):
    """The proxy did not open the way to the host."""


class NotUnloadedError(HostAnswerError):
    """A cold round was not begun, because the model could not be taken out of memory."""


class NoByteError(HostAnswerError):
    """Not one byte came in the time allowed."""


class IdleTimeoutError(HostAnswerError):
    """No further byte came in the time that a server may be silent."""


class TotalTimeoutError(HostAnswerError):
    """The answer was not complete in the time allowed."""


class BadRequestError(HostAnswerError):
    """400: the server does not take the request."""


class PromptTooLongError(HostAnswerError):
    """400: the prompt does not fit into num_ctx."""


class UnauthorizedError(HostAnswerError):
    """401: the server wants a key."""


class ForbiddenError(HostAnswerError):
    """403: the server refuses this client."""


class ModelMissingError(HostAnswerError):
    """404: the model is not installed."""


class RouteMissingError(HostAnswerError):
    """404: the server has no such route, so it may not be an Ollama."""


class MethodRefusedError(HostAnswerError):
    """405: the route does not take the method."""


class ServerBusyError(HostAnswerError):
    """503: the server's queue is full."""


class ServerFailedError(HostAnswerError):
    """500 and above: the server or its runner failed before the first chunk."""


class RedirectedError(HostAnswerError):
    """The server points elsewhere, where no measured request follows."""


class UnexpectedStatusError(HostAnswerError):
    """A status that Ollama does not send."""


class ErrorLineError(HostAnswerError):
    """An error line came after the stream had begun."""


class NoFinalChunkError(HostAnswerError):
    """The stream ended properly, but without its final chunk."""


class ClosedMidAnswerError(HostAnswerError):
    """The connection was closed in the middle of the answer."""


class ResetMidAnswerError(HostAnswerError):
    """The connection was reset."""


class NoAnswerError(HostAnswerError):
    """The connection was closed without an answer."""


class NotHttpError(HostAnswerError):
    """What answered does not speak HTTP."""


class NotUtf8Error(HostAnswerError):
    """A line of the answer is not UTF-8."""


class NotJsonError(HostAnswerError):
    """A line of the answer is not JSON."""


class WrongShapeError(HostAnswerError):
    """A line of the answer is JSON, but not as Ollama writes it."""


class AbsurdDurationError(HostAnswerError):
    """A reported duration or count cannot be."""


class OnlyLoadedError(HostAnswerError):
    """The model was loaded or unloaded, and not asked."""


class EngineError(ChimeraError):
    """The engine that the plugin starts itself did not start, or stopped."""


CAUSES: dict[str, type[HostError]] = {
    "refused": NothingListensError,
    "name": NameUnresolvedError,
    "unreachable": NetworkUnreachableError,
    "connect_timeout": ConnectTimeoutError,
    "tls": TlsFailedError,
    "proxy": ProxyFailedError,
    "not_unloaded": NotUnloadedError,
    "silent": NoByteError,
    "idle": IdleTimeoutError,
    "total": TotalTimeoutError,
    "bad_request": BadRequestError,
    "too_long": PromptTooLongError,
    "unauthorized": UnauthorizedError,
    "forbidden": ForbiddenError,
    "model_missing": ModelMissingError,
    "not_found": RouteMissingError,
    "method": MethodRefusedError,
    "busy": ServerBusyError,
    "server": ServerFailedError,
    "redirect": RedirectedError,
    "status": UnexpectedStatusError,
    "error_line": ErrorLineError,
    "no_final_chunk": NoFinalChunkError,
    "closed": ClosedMidAnswerError,
    "reset": ResetMidAnswerError,
    "no_answer": NoAnswerError,
    "not_http": NotHttpError,
    "utf8": NotUtf8Error,
    "json": NotJsonError,
    "shape": WrongShapeError,
    "durations": AbsurdDurationError,
    "only_loaded": OnlyLoadedError,
}
"""What exactly happened to a failed request, one word for each fault -> the exception class of that fault."""
