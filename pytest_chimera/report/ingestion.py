"""What was read of a corpus, in words and tables: the Data Ingestion Summary, and the parse log of the appendix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.corpus_facts import (
    ALL,
    MOST_FILES,
    by_folder,
    by_type,
    left_by_file,
    of_file,
    of_folder,
    of_reason,
    of_type,
    span_of,
)
from pytest_chimera.report.document import (
    Block,
    Bullets,
    FactTable,
    Heading,
    Label,
    Line,
    Number,
    Paragraph,
    Table,
    cell,
    joined,
)
from pytest_chimera.report.statements import short
from pytest_chimera.report.tables import ABOUT_FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.records import Artifact, Leftover
    from pytest_chimera.report.corpus_view import CorpusView
    from pytest_chimera.report.facts import FactBook

_MOST_FOLDERS = 30
_MOST_REASONS = 8
"""Things that were not understood which the summary names."""
_MOST_OF_A_FILE = 5
"""Those of one file that the parse log names."""
_MOST_COLUMNS = 12
_HEADS = ("Files", "Size", "Rows", "Failed rows", "Numbers", "Not understood")
_SUMS = ("files", "size", "rows", "failed_rows", "numbers", "not_understood")
_NONE_YET = "Nothing was read: the folders hold no file of a kind that is understood."
_ZONES = {
    "utc": "in UTC",
    "offset": "with their offset from UTC",
    "local": "in a local time whose offset is unknown",
    "unknown": "in an unknown zone",
}


def reading(view: CorpusView, book: FactBook) -> list[Line]:
    """How much was read, in a few sentences."""
    files, size, folders, rows, failed, models, distinct, copies = (
        Number(fact=book.get(ALL, name))
        for name in ("files", "size", "folders", "rows", "failed_rows", "models", "measurements", "copies")
    )
    if not view.artifacts:
        return [(_NONE_YET,)]
    read: Line = (
        "Read ", files, _plural(files, " file"), " (", size, ") in ", folders, _plural(folders, " folder"), " below ",
        *_labels(view.roots), ": ", rows, _plural(rows, " row"), " with numbers, ", failed, " of them failed. ",
    )  # fmt: skip
    if view.summarised is not None:
        numbers = Number(fact=book.get(ALL, "numbers"))
        more = (numbers, " numbers of ", models, _plural(models, " model"), " were read as summaries, copies included.")
        return [(*read, *more)]
    return [
        (
            *read, "They hold ", distinct, " distinct ", _plural(distinct, "measurement"), " of ", models,
            _plural(models, " model"), "; ", copies, " further ",
            "copy of them stands" if copies.fact.value == 1 else "copies of them stand", " elsewhere.",
        )
    ]  # fmt: skip


def ingestion(view: CorpusView, book: FactBook) -> list[Block]:
    """Files by type and folder, times, copies, and what was not understood."""
    if not view.artifacts:
        return [Paragraph((_NONE_YET,)), *_not_understood(view, book)]
    # Of summaries only the first file is known in which something was not understood.
    size = len(_HEADS) if view.summarised is None else len(_HEADS) - 1
    heads, sums = _HEADS[:size], _SUMS[:size]
    types = [((Label(kind),), *_row(of_type(kind), book, sums)) for kind in by_type(view.artifacts)]
    types.append((("all",), *_row(ALL, book, sums)))
    names = list(by_folder(view.artifacts))
    folders = [((Label(name),), *_row(of_folder(name), book, sums)) for name in names[:_MOST_FOLDERS]]
    right = tuple(range(1, size + 1))
    blocks: list[Block] = [
        *(Paragraph(line) for line in reading(view, book)),
        *(Paragraph(line) for line in (*_times(view, book), _copies(book)) if view.summarised is None),
        Table(("Type", *heads), tuple(types), right),
        Table(("Folder", *heads), tuple(folders), right),
    ]
    if len(names) > _MOST_FOLDERS:
        blocks.append(Paragraph(("The JSON file of the same name has the other folders.",)))
    return [*blocks, *_not_understood(view, book)]


def appendix(view: CorpusView, book: FactBook) -> list[Block]:
    """The parse log, then every fact that the report cites."""
    left = left_by_file(view.left)
    shown = view.artifacts[:MOST_FILES]
    rows = tuple(_file(each, book, dark=bool(left.get(each.path))) for each in shown)
    heads = ("File", "Format", "Schema", "Rows", "Failed rows", "Numbers", "Not understood")
    blocks: list[Block] = [Heading(("Parse log",))]
    blocks += [Table(heads, rows, (3, 4, 5, 6))] if rows else [Paragraph((_NONE_YET,))]
    if len(view.artifacts) > MOST_FILES:
        more = Number(fact=book.get(ALL, "left_out_files"))
        blocks.append(Paragraph(("The JSON file of the same name has ", more, " further files.")))
    paths = [each.path for each in shown]
    dark = [*(path for path in paths if path in left), *(path for path in left if path not in set(paths))]
    if dark:
        blocks.append(Heading(("Not understood, by file",), 4))
        blocks.append(Bullets(tuple(_dark(path, left[path], book) for path in dark[:MOST_FILES])))
    return [*blocks, Heading(("Facts",)), Paragraph((ABOUT_FACTS,)), FactTable(subjects=True)]


def _row(subject: Mapping[str, str], book: FactBook, names: Sequence[str]) -> tuple[Line, ...]:
    return tuple(cell(Number(fact=book.get(subject, name))) for name in names)


def _times(view: CorpusView, book: FactBook) -> list[Line]:
    span = span_of(view.measurements)
    untimed = Number(fact=book.get(ALL, "untimed"))
    without: Line = (untimed, _plural(untimed, " measurement"), " ", "has" if untimed.fact.value == 1 else "have")
    if span is None:
        return [("None of the measurements has a time that can be read.",)] if view.measurements else []
    zones = " or ".join(_ZONES[zone] for zone in span.zones)
    times: Line = ("Measured from ", Label(span.first), " to ", Label(span.last), f", times as written, {zones}; ")
    return [(*times, *without, " no time.")]


def _copies(book: FactBook) -> Line:
    same, size, others, bare = (
        Number(fact=book.get(ALL, name))
        for name in ("identical_files", "redundant_size", "others", "files_without_numbers")
    )
    return (
        same, _plural(same, " file"), " (", size, ") byte for byte the same as another; ", bare,
        _plural(bare, " file"), " without any number that was understood; ", others, _plural(others, " number"),
        " of neither a program's nor a machine's performance, such as accuracies, left out of the analysis.",
    )  # fmt: skip


def _not_understood(view: CorpusView, book: FactBook) -> list[Block]:
    kinds = list(dict.fromkeys(each.kind for each in view.left))
    if not kinds:
        return [Paragraph(("Everything in the files was understood.",))]
    rows = tuple(
        (cell(kind), *(cell(Number(fact=book.get(of_reason(kind), name))) for name in ("files", "not_understood")))
        for kind in kinds
    )
    firsts = tuple(_remark(each) for each in view.left[:_MOST_REASONS])
    blocks: list[Block] = [
        Heading(("Not understood",)),
        Table(("Kind", "Files", "Values"), rows, (1, 2)),
        Bullets(firsts),
    ]
    return (
        [*blocks, Paragraph(("The parse log in the appendix has the others.",))]
        if len(view.left) > len(firsts)
        else blocks
    )


def _remark(each: Leftover) -> Line:
    return (Label(short(f"{each.file} {each.place}".rstrip())), ": ", Label(short(each.reason)))


def _file(each: Artifact, book: FactBook, *, dark: bool) -> tuple[Line, ...]:
    subject = of_file(each.path)
    numbers = (Number(fact=book.get(subject, name)) for name in ("rows", "failed_rows", "numbers"))
    kind = each.format if each.identical_to is None else f"{each.format}, same bytes as {each.identical_to}"
    columns = ", ".join(each.schema[:_MOST_COLUMNS]) + (", ..." if len(each.schema) > _MOST_COLUMNS else "")
    return (
        cell(Label(each.path)),
        cell(Label(short(kind))),
        cell(Label(short(columns))) if each.schema else cell("none"),
        *map(cell, numbers),
        cell(Number(fact=book.get(subject, "not_understood"))) if dark else cell("nothing"),
    )


def _dark(path: str, left: Sequence[Leftover], book: FactBook) -> Line:
    """One file: how many values, and the first few places with their reasons."""
    number = Number(fact=book.get(of_file(path), "not_understood"))
    said: list[Line] = [(Label(short(f"{each.place or 'whole file'}: {each.reason}")),) for each in left]
    more: Line = ("; and others, which the JSON file of the same name has",) if len(said) > _MOST_OF_A_FILE else ()
    return (Label(path), ", ", number, _plural(number, " value"), ": ",
            *joined(tuple(said[:_MOST_OF_A_FILE]), "; "), *more, ".")  # fmt: skip


def _labels(names: Sequence[str]) -> Line:
    return joined(tuple((Label(name),) for name in names))


def _plural(number: Number, noun: str) -> str:
    return noun if number.fact.value == 1 else f"{noun}s"
