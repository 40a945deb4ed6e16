"""Untrusted text is read back as itself by a Markdown parser, and acts nowhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.report.escape import html, markdown, markdown_code, markdown_fence, one_line, terminal, visible

markdown_it = pytest.importorskip("markdown_it")
PARSER = markdown_it.MarkdownIt("commonmark").enable("table")

ACTIVE = [
    *("\\", "`", "``", "*", "_", "[", "]", "(", ")", "<", ">", "|", "#", "~", "!", "&", "&amp;", "-", "+", "=", "1."),
    *("\n", "\r\n", "\t", "\x1b[31m", "\x00", "\x85", "\u202e", "\u2066", "\u2028", "\u200b", "\ufeff", "\ud800"),
    *("http://x.y", "www.x.y", "a@b.c", "<script>", "![x](y)", "    ", "a", "\u00e9", "\u0645", "\U0001f600"),
]
hostile = st.lists(st.sampled_from(ACTIVE) | st.characters(), max_size=12).map("".join)


def children(text: str) -> list[tuple[str, str]]:
    """(type, content) of the inline tokens of a document."""
    found = [child for token in PARSER.parse(text) if token.type == "inline" for child in token.children]
    return [(child.type, child.content) for child in found]


@given(hostile)
def test_text_is_inactive_in_a_line(text: str) -> None:
    """Escaped text is one paragraph of nothing but that text."""
    tokens = PARSER.parse(markdown(text))
    expected = one_line(text)
    assert [token.type for token in tokens] == (["paragraph_open", "inline", "paragraph_close"] if expected else [])
    assert {kind for kind, _ in children(markdown(text))} <= {"text", "text_special"}
    assert "".join(content for _, content in children(markdown(text))) == expected


@given(hostile)
def test_a_code_span_holds_any_text(text: str) -> None:
    """A label is one code span with that text, or says that it is empty."""
    found = [each for each in children(f"x {markdown_code(text)} y") if each[0] == "code_inline"]
    expected = one_line(text)
    assert found == ([("code_inline", expected)] if expected else [])


@given(hostile)
def test_a_cell_stays_one_cell(text: str) -> None:
    """In a table, labels and sentences keep to their cells, whatever they hold."""
    row = f"| {markdown_code(text, in_table=True)} | {markdown(text) or '-'} | end |"
    tokens = PARSER.parse(f"| a | b | c |\n| --- | --- | --- |\n{row}\n")
    assert [token.type for token in tokens].count("td_open") == 3
    cells = [token for token in tokens if token.type == "inline"]
    assert cells[-1].content == "end"


@pytest.mark.parametrize("text", ["a|b", "a\\|b", "a\\\\|b", "|", "\\|", "a\\", "`|`"])
def test_no_pipe_stands_behind_an_even_number_of_backslashes(text: str) -> None:
    """Parsers of tables that pair backslashes and those that look one back agree on where a cell ends."""
    code = markdown_code(text, in_table=True)
    for position, char in enumerate(code):
        if char == "|":
            before = code[:position]
            assert len(before) - len(before.rstrip("\\")) == 1


@given(hostile)
def test_a_fence_holds_any_text(text: str) -> None:
    """A fenced block is one block with every line of the text, and no line leaves it."""
    tokens = PARSER.parse(f"{markdown_fence(text)}\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].info == "text"


@given(hostile)
def test_nothing_acts_on_a_terminal(text: str) -> None:
    """What goes to a terminal is one line of characters that are seen."""
    shown = terminal(text)
    assert "\n" not in shown
    assert not any(ord(char) < 32 or 0x7F <= ord(char) <= 0x9F or char in "\u202e\u2066\u2028\ud800" for char in shown)
    shown.encode("utf-8")


@given(hostile)
def test_html_has_no_element(text: str) -> None:
    """As HTML the text is text, in elements and in quoted attributes."""
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert attrs == [("title", visible(text, keep="\n\t"))]

    reader = Reader()
    reader.feed(f'<p title="{html(text)}">{html(text)}</p>')
    assert seen == ["p"]


def test_characters_that_act_are_written_out() -> None:
    """Control, escape, bidirectional and invisible characters are shown as escapes; joiners and letters stay."""
    assert visible("a\x1b[31m\u202eb\u200b\U000e0041") == "a\\x1b[31m\\u202eb\\u200b\\U000e0041"
    assert visible("\u0645\u200c\u06cc \U0001f468\u200d\U0001f469") == "\u0645\u200c\u06cc \U0001f468\u200d\U0001f469"


def test_lines_are_kept_where_asked() -> None:
    """A text of several lines for a terminal keeps its lines and tabs, and nothing else that acts."""
    assert terminal("a\r\n\tb\x1b[2J", keep_lines=True) == "a\n\tb\\x1b[2J"


def test_a_bare_address_is_no_link() -> None:
    """Addresses that GitHub would make links are broken by an escape that a reader does not see."""
    assert markdown("see https://x.y or www.x.y") == "see https\\://x.y or www\\.x.y"
    assert markdown("mailto:a@b.c") == "mailto\\:a\\@b.c"
