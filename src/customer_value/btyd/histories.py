"""Purchase histories as sufficient statistics: checked, and equal ones counted together.

A history is a frequency x (repeat purchases: order days but the first), a recency t_x (the time
from the first purchase to the last) and an age T (the time from the first purchase to the end
of observation), both in one unit of time, any. Customers with equal statistics have equal
likelihoods, so each kind is kept once, with its count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from customer_value.errors import SentenceError

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

# How many histories are looked at in one go.
CHUNK = 8192


class ImpossibleInputError(SentenceError, ValueError):
    """An array that can't be what it is said to be; the message names it and the condition."""


@dataclass(frozen=True)
class Histories:
    """Histories, one per element, in arrays of one length.

    Attributes:
        frequency: x, whole numbers from 0.
        recency: t_x, above 0 exactly where x is, at most the age.
        age: T, in the unit of the recency.
        count: how many customers share the history.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    count: Floats

    @classmethod
    def checked(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        count: ArrayLike | None = None,
    ) -> Histories:
        """Histories that can be.

        Args:
            frequency: x, shape (m,) or a scalar, as all others.
            recency: t_x.
            age: T.
            count: customers per history, 1 by default.

        Raises:
            ImpossibleInputError: shapes differ, or a value is impossible.
        """
        arrays = aligned(
            frequency=frequency, recency=recency, age=age, count=1.0 if count is None else count
        )
        x, t_x, t, n = arrays.values()
        require(x == np.floor(x), "frequency", "must be a whole number of repeat purchases")
        require(t_x <= t, "recency", "must not exceed the age")
        require((x > 0) | (t_x == 0), "recency", "must be 0 where there is no repeat purchase")
        require((x == 0) | (t_x > 0), "recency", "must be above 0 where there are repeat purchases")
        return cls(x, t_x, t, n)

    @cached_property
    def customers(self) -> float:
        """How many customers there are in all."""
        return float(self.count.sum())

    @cached_property
    def repeat_buyers(self) -> float:
        """How many customers have bought again."""
        return float(self.count[self.frequency > 0].sum())

    @cached_property
    def by_frequency(self) -> tuple[Floats, Positions]:
        """The distinct frequencies, and each history's position among them.

        Gamma functions cost most in these likelihoods and depend on the frequency alone.
        """
        positions, values = pd.factorize(self.frequency, sort=True)
        return values, positions.astype(np.int64)

    @cached_property
    def parts(self) -> list[Histories]:
        """The same, some thousand at a time: what is computed of them stays in the cache."""
        return [
            Histories(*(array[start : start + CHUNK] for array in self._arrays))
            for start in range(0, max(len(self.frequency), 1), CHUNK)
        ]

    @property
    def _arrays(self) -> tuple[Floats, ...]:
        return self.frequency, self.recency, self.age, self.count

    def grouped(self) -> Histories:
        """Each distinct history once, in an order that the order of customers doesn't change."""
        rows, positions = distinct(self.frequency, self.recency, self.age)
        return Histories(
            self.frequency[rows],
            self.recency[rows],
            self.age[rows],
            totals(positions, self.count),
        )

    def in_unit(self, unit: float) -> Histories:
        """The same, with times as multiples of a unit."""
        return replace(self, recency=self.recency / unit, age=self.age / unit)


def aligned(**arrays: ArrayLike) -> dict[str, Floats]:
    """Arrays of one length, of finite numbers from 0, scalars repeated.

    Raises:
        ImpossibleInputError: a shape, a type or a value is not so; the message names the array.
    """
    converted: dict[str, Floats] = {}
    for name, values in arrays.items():
        array = numbers(name, values)
        require(np.isfinite(array), name, "must be finite and not missing")
        require(array >= 0, name, "must not be negative")
        converted[name] = array
    lengths = {name: len(array) for name, array in converted.items() if array.ndim}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ImpossibleInputError(f"All arrays must have one length, not {told}.")
    length = next(iter(lengths.values()), 1)
    return {name: np.broadcast_to(array, (length,)) for name, array in converted.items()}


def numbers(name: str, values: ArrayLike) -> Floats:
    """The values as numbers, in one dimension or none.

    Raises:
        ImpossibleInputError: they are something else; the message gives them this name.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ImpossibleInputError(f"{name} must hold numbers.") from error
    if array.ndim > 1:
        raise ImpossibleInputError(f"{name} must have one dimension, not {array.ndim}.")
    return array


def require(is_met: NDArray[np.bool_], name: str, condition: str) -> None:
    """Raise a sentence that names the array, the condition and the first place that breaks it.

    >>> try:
    ...     require(np.array([True, False]), "age", "must not be negative")
    ... except ImpossibleInputError as error:
    ...     print(error)
    age must not be negative; element 1 of 2, from 0, is not so.
    """
    is_met = np.atleast_1d(is_met)
    if not is_met.all():
        place = int(np.argmin(is_met))
        raise ImpossibleInputError(
            f"{name} {condition}; element {place} of {len(is_met)}, from 0, is not so."
        )


def distinct(*columns: Floats) -> tuple[Positions, Positions]:
    """Where each distinct row first stands, sorted by its values, and each row's position there.

    One column at a time becomes a whole number by hashing, which spares sorting the rows.
    """
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        inverse, values = pd.factorize(column, sort=True)
        # The code is below the number of rows, so the product stays far below 2^63.
        code, _ = pd.factorize(code * len(values) + inverse, sort=True)
    # The last of equal assignments stays: the first row, when rows are taken backwards.
    first = np.empty(int(code.max(initial=-1)) + 1, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code), dtype=np.int64)[::-1]
    return first, code.astype(np.int64)


def totals(positions: Positions, count: Floats) -> Floats:
    """The sum of the counts at each position, from 0 to the largest."""
    return np.bincount(positions, weights=count).astype(np.float64)
