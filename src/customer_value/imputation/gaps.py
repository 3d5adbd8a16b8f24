"""Where rows lack values, and which targets they lack together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value.imputation.sql import Column

Flags = NDArray[np.bool_]

MAXIMUM_PATTERNS = 100


@dataclass(frozen=True)
class Gaps:
    """Where the relation lacks values.

    Attributes:
        known: rows per column with a value that can be learnt from.
        to_fill: rows per target that lack its value.
        has_gap: per column, whether a row that is to be filled lacks it.
        patterns: which targets are missing together, shape (patterns, targets), each with its
            rows in pattern_rows; the most frequent ones, never the one that misses nothing.
    """

    known: NDArray[np.int64]
    to_fill: NDArray[np.int64]
    has_gap: Flags
    patterns: Flags
    pattern_rows: NDArray[np.int64]

    @staticmethod
    def of(raw: Relation, targets: Sequence[str], columns: Sequence[Column]) -> Gaps:
        """Count them in the engine, by which targets are missing."""
        flags = ", ".join(f"is_missing_{number}" for number in range(len(targets)))
        counts = ", ".join(f"count(column_{number})" for number in range(len(columns)))
        answer = raw.aggregate(f"{flags}, count(*), {counts}", flags).order("all").fetchall()
        count = len(targets)
        rows = [row for row in answer if any(row[:count])]
        rows.sort(key=lambda row: (-row[count], row[:count]))
        known = np.array([row[count + 1 :] for row in answer], dtype=np.int64)
        lacking = np.array([row[count:] for row in rows], dtype=np.int64)
        patterns = np.array([row[:count] for row in rows], dtype=np.bool_).reshape(-1, count)
        lacking = lacking.reshape(-1, len(columns) + 1)
        return Gaps(
            known=known.reshape(-1, len(columns)).sum(axis=0),
            to_fill=(patterns * lacking[:, :1]).sum(axis=0),
            has_gap=np.any(lacking[:, 1:] < lacking[:, :1], axis=0),
            patterns=patterns[:MAXIMUM_PATTERNS],
            pattern_rows=lacking[:MAXIMUM_PATTERNS, 0],
        )

    def drawn(self, count: int, random_seed: int) -> Flags:
        """Patterns in proportion to their rows, shape (count, targets)."""
        chance = np.random.default_rng(random_seed)
        weights = self.pattern_rows / self.pattern_rows.sum()
        drawn: Flags = self.patterns[chance.choice(len(weights), count, p=weights)]
        return drawn
