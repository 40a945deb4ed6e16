"""A text in pieces: what each knows of its surroundings, also where a program lost the line breaks."""

from __future__ import annotations

from pytest_chimera.report.claims.text import MAX_PIECE, Piece, Reader


def pieces(text: str) -> list[Piece]:
    """All pieces of a text."""
    return Reader(text).read()


def test_a_cell_knows_its_column_its_row_and_the_heading_above() -> None:
    """A cell of a table carries the head of its column, the cells of its row, its lead-in and its headings."""
    cells = [
        each for each in pieces("# T\n## S\n**Means:**\n\n| model | tok/s |\n|--|--|\n| toy | 1.5 |\n") if each.table
    ]
    cell = cells[1]
    assert (cell.text.strip(), cell.header, cell.cells) == ("1.5", "tok/s", ("toy", "1.5"))
    assert (cell.leads, cell.section.headings) == (("Means:",), ("T", "S"))
    assert (cell.line, cell.column) == (7, 7)


def test_a_blank_first_cell_repeats_the_one_above() -> None:
    """A row whose first cell is blank belongs to the label above it."""
    found = pieces("| model | ms |\n|--|--|\n| toy | 1 |\n| | 2 |\n")
    assert found[-1].cells == ("toy", "2")


def test_a_head_glued_to_prose_is_a_head_and_a_heading_glued_to_a_row_is_a_heading() -> None:
    """Lost line breaks before a table, before a heading and behind a row are found again."""
    text = "Best was 3 s. | tag | s |\n| --- | --- |\n| a | 3 | ## Next part\n- 4 s there"
    found = pieces(text)
    assert [(each.kind, each.text.strip()) for each in found] == [
        ("prose", "Best was 3 s."),
        ("cell", "a"),
        ("cell", "3"),
        ("heading", "Next part"),
        ("prose", "4 s there"),
    ]
    assert found[-1].section.headings == ("Next part",)


def test_a_table_on_one_line_has_its_rows() -> None:
    """A table that lost all its line breaks is read cell by cell."""
    found = pieces("Seen: | a | b | | --- | --- | | 1 | 2 | | 3 | 4 | done")
    assert [(each.header, each.text.strip()) for each in found if each.table] == [
        ("a", "1"),
        ("b", "2"),
        ("a", "3"),
        ("b", "4"),
    ]
    assert found[-1].text.strip() == "done"


def test_wrapped_lines_are_one_piece_and_keep_their_places() -> None:
    """A paragraph that was broken at its right margin is read as one, and every place in it is found again."""
    first = "The mean throughput of the model over all of its rows was"
    (piece,) = pieces(f"{first}\n80.0 tok/s on that day.")
    place = piece.text.index("80.0")
    assert piece.at(place) == (2, 0)
    assert piece.at(4) == (1, 4)


def test_lines_that_were_ended_on_purpose_stay_apart() -> None:
    """Short lines, lines with a hard break and lines that begin with a key are pieces of their own."""
    found = pieces("Date: today\nGPU: none\n" + "x" * 60 + "  \nand more\n")
    assert len(found) == 4


def test_code_is_no_prose_but_output_and_settings_are_read() -> None:
    """A block of a language is passed over, a plain block is read, and one of settings is kept for its section."""
    reader = Reader("# T\n```python\nx = 1.5\n```\n```\nTTFT: 1.5 s\n```\n```yaml\nnum_ctx: 1024\n```\n")
    assert [each.text.strip() for each in reader.read()] == ["T", "TTFT: 1.5 s"]
    assert reader.sections[-1].fences == ["num_ctx: 1024"]


def test_the_longest_line_is_read_in_parts() -> None:
    """No piece is longer than the bound, and no number on a long line is lost between two of them."""
    found = pieces("12.5 s " * 1_000)
    assert max(len(each.text) for each in found) <= MAX_PIECE
    assert sum(each.text.count("12.5") for each in found) == 1_000
