"""Functions read back from what was written down of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from customer_value.candidates.scores.blend import Blend
from customer_value.candidates.scores.counting import ExpectedValue, NoOrder
from customer_value.candidates.scores.formula import Formula
from customer_value.candidates.scores.hinges import Hinges
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.scores.renewal import Renewal
from customer_value.candidates.scores.score import Score
from customer_value.candidates.scores.trees import Trees
from customer_value.candidates.scores.units import Units

KINDS: dict[str, Callable[[Mapping[str, Any]], Score]] = {
    kind.kind: kind.from_dict
    for kind in (Linear, Hinges, Trees, Units, Formula, NoOrder, ExpectedValue, Renewal)
}


def score_from(told: Mapping[str, Any]) -> Score:
    """The function that a to_dict told of, by its kind."""
    if told["kind"] == Blend.kind:
        parts = [(float(part["weight"]), score_from(part["score"])) for part in told["parts"]]
        return Blend(float(told["intercept"]), parts)
    return KINDS[str(told["kind"])](told)
