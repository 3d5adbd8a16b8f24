"""What every fitted model carries: parameters, likelihood, health, and a form as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from customer_value.btyd.histories import ImpossibleInputError
from customer_value.btyd.maximum_likelihood import Maximum

OK = "ok"
# Fewer than these can't carry a distribution over customers.
MINIMUM_REPEAT_BUYERS = 20


@dataclass(frozen=True)
class FittedModel:
    """A model at the maximum of its likelihood.

    Attributes:
        parameters: name to value; times are in the unit of the data, and amounts in theirs.
        log_likelihood: the sum over customers, as the papers give it.
        customers: how many were fitted on.
        health: ``ok``, or the name of what keeps the fit from being trusted.
    """

    name: ClassVar[str]
    parameter_names: ClassVar[tuple[str, ...]]
    fallbacks: ClassVar[Mapping[str, str]]

    parameters: Mapping[str, float] = field(hash=False)
    log_likelihood: float
    customers: float
    health: str = OK

    def __post_init__(self) -> None:
        """Refuse parameters that the model doesn't have or that it can't take.

        Raises:
            ImpossibleInputError: a parameter is missing, unknown or not above 0.
        """
        if set(self.parameters) != set(self.parameter_names):
            raise ImpossibleInputError(
                f"{self.name} has the parameters {', '.join(self.parameter_names)}, "
                f"not {', '.join(self.parameters) or 'none'}."
            )
        for name, value in self.parameters.items():
            if not (math.isfinite(value) and value > 0):
                raise ImpossibleInputError(f"{self.name}'s {name} must be above 0, not {value}.")
        if self.health != OK and self.health not in self.fallbacks:
            raise ImpossibleInputError(f"{self.name} knows no health {self.health!r}.")

    @property
    def fallback(self) -> str | None:
        """The simpler model to take instead, or None where this one is sound."""
        return None if self.health == OK else self.fallbacks[self.health]

    def to_dict(self) -> dict[str, Any]:
        """All of it in types that JSON has."""
        return {
            "model": self.name,
            "parameters": {name: float(self.parameters[name]) for name in self.parameter_names},
            "log_likelihood": self.log_likelihood,
            "customers": self.customers,
            "health": self.health,
            "fallback": self.fallback,
        }

    @classmethod
    def from_dict(cls, fitted: Mapping[str, Any]) -> Self:
        """The model that to_dict told of.

        Raises:
            ImpossibleInputError: it is another model's, or its parameters are impossible.
        """
        if fitted.get("model") != cls.name:
            raise ImpossibleInputError(f"This is {fitted.get('model')!r}, not {cls.name!r}.")
        return cls(
            parameters={name: float(value) for name, value in fitted["parameters"].items()},
            log_likelihood=float(fitted["log_likelihood"]),
            customers=float(fitted["customers"]),
            health=str(fitted["health"]),
        )


def health_of(maximum: Maximum) -> str:
    """What the search itself tells: it converged, and the data determine every parameter."""
    if not maximum.is_converged:
        return "did_not_converge"
    return OK if maximum.is_determined.all() else "boundary"
