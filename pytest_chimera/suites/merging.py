"""What a case says over what `defaults` say, and an arm over its case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.suites.arguments import CaseArguments

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_PLACE_OF: Mapping[str, tuple[str, ...]] = {
    "prompt": ("messages", "prompt_tokens"),
    "messages": ("prompt", "prompt_tokens", "images"),
    "prompt_tokens": ("prompt", "messages"),
    "sweep": ("arms",),
    "arms": ("sweep",),
}
"""Field -> fields that cannot stand beside it; where it is said, those of below do not hold."""

_BY_NAME = ("options", "expect")


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of both, those of `above` first: options and expectations by name, limits as `CaseArguments` does.

    What `above` says drops what cannot stand beside it below.
    """
    if not below:
        return dict(above)
    dropped = {other for name in above for other in IN_PLACE_OF.get(name, ())}
    found = {name: value for name, value in below.items() if name not in dropped}
    found.update(above)
    for name in _BY_NAME:
        if name in below and name in above:
            found[name] = {**below[name], **above[name]}
    if "limits" in below and "limits" in above:
        both = [CaseArguments.parse({"limits": each["limits"]}) for each in (below, above)]
        found["limits"] = [str(limit) for limit in both[1].over(both[0]).limits]
    return _one_answer_size(found, above)


def _one_answer_size(found: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`output_tokens` sets num_predict: the one that `above` says, or varies, takes the other one away."""
    options = found.get("options", {})
    said = {*above, *above.get("options", {}), *(above["sweep"].names if "sweep" in above else ())}
    if "output_tokens" in said and "num_predict" in options and "num_predict" not in said:
        found["options"] = {name: value for name, value in options.items() if name != "num_predict"}
    if "num_predict" in said and "output_tokens" not in said:
        found.pop("output_tokens", None)
    return found
