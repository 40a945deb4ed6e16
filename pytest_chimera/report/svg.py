"""Elements of an SVG, written with the standard library: shapes, texts that fit, and what every picture begins with.

A picture is data without scripts, and the same numbers give the same bytes.
"""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET  # it writes; nothing is parsed

from pytest_chimera.report.escape import one_line

INK = "#24292f"
TEXT, TITLE, BOLDER = 12, 16, 1.15
"""Sizes of letters in px, and by how much the title's bold letters are wider."""
_NARROW_EM = 0.62


def svg(width: float, height: float, *, title: str = "", described: str = "") -> ET.Element:
    """The root of a picture of this size in px, on white; `title` and what is `described` are for who cannot see it."""
    wide, high = _shown(width), _shown(height)
    size = {"width": wide, "height": high, "viewBox": f"0 0 {wide} {high}"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img"})
    root.set("font-family", "Verdana, 'DejaVu Sans', sans-serif")
    said = {name: one_line(told) for name, told in (("title", title), ("desc", described)) if told}
    for name, told in said.items():
        add(root, name, id=name).text = told
    if said:
        root.set("aria-labelledby", " ".join(said))
    add(root, "rect", width=width, height=height, fill="#ffffff")
    return root


def written(root: ET.Element) -> str:
    """The picture as text."""
    return ET.tostring(root, encoding="unicode") + "\n"


def add(root: ET.Element, tag: str, **attributes: float | str) -> ET.Element:
    """A new element; a name's underscore is a hyphen, and tenths of a pixel are as exact as anybody sees."""
    shown = {
        name.replace("_", "-"): value if isinstance(value, str) else _shown(value) for name, value in attributes.items()
    }
    return ET.SubElement(root, tag, shown)


def text(
    root: ET.Element, x: float, y: float, said: str, *, anchor: str = "start", size: int = TEXT, fill: str = INK
) -> None:
    """A line of text from `x` on, about it ("middle") or up to it ("end"); `y` is its foot."""
    weight = "bold" if size == TITLE else "normal"
    add(root, "text", x=x, y=y, fill=fill, text_anchor=anchor, font_size=size, font_weight=weight).text = said


def shortened(said: str, room: float, size: int) -> str:
    """`said` in one line that fits in any usual font, less what is in its middle: its ends tell cases apart."""
    line = one_line(said)
    kept = line
    for count in range(min(len(line), int(room / (_NARROW_EM * size))), -1, -1):
        tail = count // 2
        kept = line if count == len(line) else f"{line[: count - tail]}…{line[len(line) - tail :]}"
        if width_of(kept, size) <= room:
            break
    return kept


def width_of(line: str, size: int) -> float:
    """How wide a line is in a wide font, in px."""
    return sum(map(_em, line)) * size


def _em(char: str) -> float:
    """The width of a character in a wide font, as a share of the font's size."""
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    return 0.98 if char.isupper() or char in "mw%@…—" else _NARROW_EM


def _shown(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
