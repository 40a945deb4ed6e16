"""What properties draw from: prompts, conversations, options and personas, as strategies of Hypothesis.

    from pytest_chimera import chimera_given
    from pytest_chimera.strategies import prompts

    @chimera_given(prompt=prompts(max_words=2000), limits="ttft <= 400 ms")
    def test_ttft(chimera_probe, prompt):
        chimera_probe(prompt)

Lengths are drawn before anything else, so that a failing example shrinks to the fewest words first and to the simplest
words after that. Needs the extra `hypothesis`; without it, importing this raises MissingExtraError, an ImportError.
"""

from __future__ import annotations

from pytest_chimera.errors import MissingExtraError

__tracebackhide__ = True  # where the package is missing, pytest shows the line of the test file and the words

try:
    import hypothesis as _hypothesis
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    _hypothesis = None  # type: ignore[assignment]  # told below, outside of the handler, without its traceback
if _hypothesis is None:
    raise MissingExtraError.of("hypothesis", "hypothesis", "pytest_chimera.strategies")

from pytest_chimera.strategies.choices import options
from pytest_chimera.strategies.drawing import conversations, personas, prompts
from pytest_chimera.strategies.words import WORDS

__all__ = ["WORDS", "conversations", "options", "personas", "prompts"]
