"""A file of cases as it was read: what each case says, where it says it, and the question that it puts.

Reading and writing the file is done in `schema`; pytest's items are made of it by the plugin.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_chimera.suites import sources, variables
from pytest_chimera.suites.arguments import ARGUMENT_NAMES
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.conversations import read_messages
from pytest_chimera.suites.merging import merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_chimera.errors import SuiteError
    from pytest_chimera.suites.sweep import Arm, Sweep

_ARGUMENTS = frozenset(ARGUMENT_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Xfail:
    """That a case is known not to pass, and why."""

    reason: str
    strict: bool | None = None
    """Whether passing is a failure; None leaves it to pytest's `xfail_strict`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """That a case is not measured, and why."""

    reason: str
    models: tuple[str, ...] = ()
    """Only with these; empty means with any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCase:
    """One case of a suite, with what `defaults` say where it says nothing."""

    name: str
    path: Path
    """Of the suite."""
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)
    description: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What is asked and how it is measured: field -> plain value, only what was said; files are not read yet."""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, compare=False)
    """Field -> line and column of its name; a field of an arm is "arms.NAME.FIELD"."""
    tags: tuple[str, ...] = ()
    skips: Skip | None = None
    xfail: Xfail | None = None
    models: tuple[str, ...] = ()
    """With which it is measured: its own, else those of the suite; empty leaves it to the run."""
    sweep: Sweep | None = None
    arms: tuple[Arm, ...] = ()
    environment: tuple[str, ...] = ()
    """Environment variables that its texts may use."""

    @property
    def skip(self) -> str | None:
        """Why it is measured with no model at all; None when it is."""
        return self.skips.reason if self.skips and not self.skips.models else None

    def skip_with(self, model: str) -> str | None:
        """Why it is not measured with this model ("tiny" means any tag of it); None when it is."""
        if self.skips is None:
            return None
        names = {model, model.partition(":")[0]}
        return self.skips.reason if not self.skips.models or names & set(self.skips.models) else None

    @property
    def variables(self) -> tuple[str, ...]:
        """What its texts may use as `{name}`; where there is nothing, braces are braces."""
        return (*(self.sweep.names if self.sweep else ()), *self.environment)

    @property
    def arguments(self) -> dict[str, Any]:
        """How it is measured: what `CaseArguments.parse` takes. Raises SuiteError for a file that cannot be read."""
        said = {name: value for name, value in self.fields.items() if name in _ARGUMENTS}
        if "expect" in said:
            said["expect"] = self._expect(said["expect"])
        return said

    def question(self, folder: Path, variables: Mapping[str, str]) -> Question:
        """What it asks: its texts filled with `variables`, and the files of `folder` read. Raises SuiteError."""
        return _Asking(self, folder, variables).question()

    def with_arm(self, arm: Arm) -> SuiteCase:
        """The case that one of its arms is: what the arm says over what the case says; `model` is among its fields."""
        places = {
            name: self.places.get(f"arms.{arm.name}.{name}", self.places.get("arms", (1, 1))) for name in arm.said
        }
        return dataclasses.replace(
            self, fields=merged(self.fields, arm.said), places={**self.places, **places}, arms=(), sweep=None
        )

    def place(self, name: str) -> str:
        """ "FILE:LINE:COLUMN" of a field, or of the case for a field that it does not have."""
        return sources.Source(self.path).at(self.places.get(name, (self.line, self.column)))

    def refuse(self, name: str, what: str, accepted: str = "", next_step: str = "") -> SuiteError:
        """The error about a field, at its place."""
        place = self.places.get(name, (self.line, self.column))
        return sources.Source(self.path).refuse(place, what, accepted, next_step)

    def _expect(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Expectations whose schema is there and not the name of its file, and whose paths count from the suite."""
        folder = self.path.parent
        expect = dict(said)
        schema = expect.get("json_schema")
        if isinstance(schema, dict) and set(schema) == {"file"} and isinstance(schema["file"], str):
            expect["json_schema"] = sources.read_nodes(folder / schema["file"], self.place("expect"))[0].plain
        grounds = expect.get("grounded_in")
        if isinstance(grounds, dict) and grounds.get("corpus"):
            for each in grounds["corpus"]:
                if not any(mark in each for mark in "*?[") and not (folder / each).exists():
                    raise self.refuse(
                        "expect",
                        f"grounded_in: there is no corpus at {each!r}.",
                        "Accepted: a folder, a file or a glob of files, counted from the folder of the suite.",
                        "Check the path.",
                    )
            expect["grounded_in"] = {**grounds, "corpus": [str(folder / each) for each in grounds["corpus"]]}
        return expect

    def texts(self) -> Iterator[tuple[str, str]]:
        """The field and the text of everything in which variables may stand: texts, and paths of files."""
        for name in ("prompt", "system"):
            if isinstance(self.fields.get(name), str):
                yield name, self.fields[name]
        messages = self.fields.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if "content" in message:
                yield "messages", message["content"]
        yield from self._files()

    def _files(self) -> Iterator[tuple[str, str]]:
        """The field and the path of each file."""
        for name in ("prompt", "system", "messages", "format"):
            value = self.fields.get(name)
            if isinstance(value, dict) and set(value) == {"file"}:
                yield name, value["file"]
        for path in self.fields.get("images", ()):
            yield "images", path
        messages = self.fields.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if "file" in message:
                yield "messages", message["file"]
            for path in message.get("images", ()):
                yield "messages", path


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The cases of one file."""

    path: Path
    description: str = ""
    models: tuple[str, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    """Environment variables that texts may use -> what holds where they are not set; None is nothing."""
    cases: tuple[SuiteCase, ...] = ()

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The values of those environment variables that are named here, without those that have none."""
        found = {name: environ.get(name, default) for name, default in self.environment.items()}
        return {name: value for name, value in found.items() if value is not None}


class _Asking:
    """From one case to its question."""

    def __init__(self, case: SuiteCase, folder: Path, values: Mapping[str, str]) -> None:
        self.case = case
        self.fields = case.fields
        self.folder = folder
        self.values = values
        self.known = case.variables

    def question(self) -> Question:
        images = [self._path("images", each) for each in self.fields.get("images", ())]
        return Question(
            prompt=self._text("prompt"),
            messages=self._messages(),
            system=self._text("system"),
            format=self._format(),
            images=images or None,
            tools=self.fields.get("tools"),
        )

    def _text(self, name: str) -> str | None:
        """A text as it stands in the suite, its variables filled, or as it stands in its file."""
        said = self.fields.get(name)
        if isinstance(said, dict):
            text = sources.read_text(self._path(name, said["file"]), self.case.place(name))
            if not text.strip():
                raise self.case.refuse(name, f"the file {said['file']!r} is empty.", "Accepted: a text.", "Fill it.")
            return text
        return None if said is None else self._fill(name, said)

    def _format(self) -> Any:
        said = self.fields.get("format")
        if not isinstance(said, dict) or set(said) != {"file"}:
            return said
        node, source = sources.read_nodes(self._path("format", said["file"]), self.case.place("format"))
        if not isinstance(node.value, dict):
            raise source.refuse(node, "this is no JSON schema.", "Accepted: a mapping.", "Correct the file.")
        return node.plain

    def _messages(self) -> list[dict[str, Any]] | None:
        said = self.fields.get("messages")
        if isinstance(said, dict):
            found, source = sources.read_nodes(self._path("messages", said["file"]), self.case.place("messages"))
            return [self._message(each, inline=False) for each in read_messages(found, source)]
        return None if said is None else [self._message(each, inline=True) for each in said]

    def _message(self, said: Mapping[str, Any], *, inline: bool) -> dict[str, Any]:
        message = {"role": said["role"]}
        if "file" in said:
            path = self._path("messages", said["file"]) if inline else self.folder / said["file"]
            message["content"] = sources.read_text(path, self.case.place("messages"))
        else:
            message["content"] = self._fill("messages", said["content"]) if inline else said["content"]
        paths = said.get("images", ())
        images = [self._path("messages", each) if inline else self.folder / each for each in paths]
        for image in images:
            sources.check_file(image, self.case.place("messages"))
        return {**message, **({"images": images} if images else {})}

    def _path(self, name: str, path: str) -> Path:
        found = self.folder / self._fill(name, path)
        sources.check_file(found, self.case.place(name))
        return found

    def _fill(self, name: str, text: str) -> str:
        if not self.known:
            return text
        try:
            return variables.fill(text, self.values, self.known)
        except variables.NotFilledError as error:
            what, accepted, next_step = error.args
            raise self.case.refuse(name, f"{name}: {what}", accepted, next_step) from None
