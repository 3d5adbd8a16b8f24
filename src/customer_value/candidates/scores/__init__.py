"""Functions of the features that candidates learn, each one that can be written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customer_value.candidates.scores.counting import ExpectedValue, NoOrder
from customer_value.candidates.scores.formula import Formula
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.scores.score import Score
from customer_value.candidates.scores.trees import Trees

KINDS: dict[str, type[Score]] = {
    kind.kind: kind for kind in (Linear, Trees, Formula, NoOrder, ExpectedValue)
}


def score_from(told: Mapping[str, Any]) -> Score:
    """The function that a to_dict told of, by its kind."""
    return KINDS[str(told["kind"])].from_dict(told)
