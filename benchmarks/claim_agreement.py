"""How often the claim check agrees with claims that people judged, and how often it would support random numbers.

    python benchmarks/claim_agreement.py --claims claims.json --corpus DIR

The file holds {"claims": [{"id", "verdict", "file", "line", "quote"}, ...]} with paths relative to DIR. The verdict of
a claim is that of the numbers within its quote. A quote in which nothing can be checked counts as unsupported: no data
judge it. Randomised: every number of a judged quote that was compared with data is replaced, `--tries` times, by one
within 25 % with as many decimals.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus import read_corpus
from pytest_chimera.report.check import VERDICTS, Checked, Claim, Evidence, check
from pytest_chimera.report.claims.claim import speaking

if TYPE_CHECKING:
    from collections.abc import Iterable

SEED = 20260101


def main() -> None:
    """Print agreement, disagreements, the confusion matrix, precision of "contradicted", and false support."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=Path, required=True, help="judged claims, JSON")
    parser.add_argument("--corpus", type=Path, required=True, help="folder that their paths are relative to")
    parser.add_argument("--tries", type=int, default=10, help="random numbers in place of each (default 10)")
    given = parser.parse_args()
    claims = json.loads(given.claims.read_text(encoding="utf-8"))["claims"]
    corpus = read_corpus([str(given.corpus)])
    evidence = Evidence.of(corpus.measurements, corpus.others, corpus.artifacts)
    texts = {file: (given.corpus / file).read_text(encoding="utf-8") for file in {each["file"] for each in claims}}
    began = time.perf_counter()
    checked = {file: check(text, evidence, document=file) for file, text in texts.items()}
    seconds = time.perf_counter() - began
    print(f"{len(texts)} texts, {sum(len(text) for text in texts.values())} characters, checked in {seconds:.2f} s")
    print_agreement(claims, checked, texts)
    print_random(claims, checked, texts, evidence, given.tries)


def print_agreement(claims: list[dict[str, Any]], checked: dict[str, Checked], texts: dict[str, str]) -> None:
    """Agreement, each disagreement with its reasons, and the confusion matrix."""
    matrix: Counter[tuple[str, str]] = Counter()
    for claim in claims:
        parts = within(checked[claim["file"]].claims, texts[claim["file"]], claim)
        ours = speaking(parts)
        said = "unsupported" if ours == "not checkable" else ours
        matrix[claim["verdict"], said] += 1
        if said != claim["verdict"]:
            print(f"\n{claim['id']} {claim['file']}:{claim['line']} {claim['quote'][:120]!r}")
            print(f"   judged {claim['verdict']}, here {ours}; {claim.get('evidence', '')}")
            for part in parts:
                print(f"   - {part.text!r} {part.verdict}{' (weak)' if part.weak else ''}: {part.reason}")
    agreed = sum(count for (theirs, ours), count in matrix.items() if theirs == ours)
    print(f"\nagreement: {agreed} of {len(claims)} ({100 * agreed / max(1, len(claims)):.1f} %)")
    names = [name for name in VERDICTS if name != "not checkable"]
    print("judged \\ here".ljust(16) + "".join(name[:13].rjust(15) for name in names))
    for theirs in names:
        print(theirs.ljust(16) + "".join(str(matrix[theirs, ours]).rjust(15) for ours in names))
    all_of_them = sum(count for (_, ours), count in matrix.items() if ours == "contradicted")
    right = matrix["contradicted", "contradicted"]
    share = f" ({100 * right / all_of_them:.1f} %)" if all_of_them else ""
    print(f"precision of contradicted: {right} of {all_of_them}{share}")


def within(claims: Iterable[Claim], text: str, judged: dict[str, Any]) -> list[Claim]:
    """Our claims within the quote of a judged one."""
    (first, start), (last, end) = span(text, judged["line"], judged["quote"])
    return [
        each for each in claims if (first, start) <= (each.line, each.end - 1) and (each.line, each.start) < (last, end)
    ]


def span(text: str, line: int, quote: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where a quote begins and ends, as (line, column); the whole line when it is not found there."""
    lines = re.split(r"\r\n|\r|\n", text)
    for first in range(max(0, line - 3), min(len(lines), line + 3)):
        tail = "\n".join(lines[first : first + 12])
        place = tail.find(quote)
        if 0 <= place < len(lines[first]) + 1:
            head = tail[: place + len(quote)]
            return (first + 1, place), (first + 1 + head.count("\n"), len(head.rpartition("\n")[2]))
    return (line, 0), (line, 1_000_000)


def print_random(
    claims: list[dict[str, Any]], checked: dict[str, Checked], texts: dict[str, str], evidence: Evidence, tries: int
) -> None:
    """The share of random numbers in the places of the compared ones that are supported."""
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    rng = random.Random(SEED)
    places = 0
    for file in sorted(texts):
        compared = {
            (part.line, part.start): part
            for claim in claims if claim["file"] == file
            for part in within(checked[file].claims, texts[file], claim)
            if part.chance is not None and part.numeric and part.value is not None
        }  # fmt: skip
        places += len(compared)
        lines: dict[int, list[Claim]] = defaultdict(list)
        for _, part in sorted(compared.items()):
            lines[part.line].append(part)
        for turn in range(tries * max(map(len, lines.values()), default=0)):
            chosen = [parts[turn % len(parts)] for parts in lines.values() if turn < tries * len(parts)]
            for part, now in zip(chosen, rejudged(texts[file], chosen, evidence, file, rng), strict=True):
                for name in (part.kind, "all"):
                    tally[name][0] += 1
                    tally[name][1] += now is not None and now.verdict == "supported"
                    tally[name][2] += now is not None and now.grounded
    print(f"\nrandom numbers within 25 % in {places} places, {tries} each:")
    for name, (total, supported, grounded) in sorted(tally.items()):
        print(f"   {name}: {total}, supported {100 * supported / total:.1f} %, not weak {100 * grounded / total:.1f} %")


def rejudged(
    text: str, chosen: list[Claim], evidence: Evidence, file: str, rng: random.Random
) -> list[Claim | None]:  # fmt: skip
    """What is said of other numbers in the places of some claims, of which no two stand in one line."""
    for part in chosen:
        text = replaced(text, part, rng)
    now = {(each.line, each.start): each for each in check(text, evidence, document=file).claims}
    return [now.get((part.line, part.start)) for part in chosen]


def replaced(text: str, claim: Claim, rng: random.Random) -> str:
    """The text with another number in the place of a claim's; as it was when no number stands there."""
    lines = re.split(r"(\r\n|\r|\n)", text)
    line = lines[2 * (claim.line - 1)]
    match = re.compile(r"[+\-\u2212]?\d[\d,]*(?:\.(\d+))?").match(line, claim.start)
    if match is None:
        return text
    value = float(match[0].replace(",", "").replace("\u2212", "-"))
    decimals = len(match[1] or "")
    text_of = match[0]
    for _ in range(50):
        sign = "+" if match[0].startswith("+") else ""
        text_of = f"{sign}{value * rng.uniform(0.75, 1.25):.{decimals}f}"
        if float(text_of) != value:
            break
    lines[2 * (claim.line - 1)] = line[: match.start()] + text_of + line[match.end() :]
    return "".join(lines)


if __name__ == "__main__":
    main()
