"""What a learnt function of the features is: numbers for a frame, SQL, and JSON."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Score(Protocol):
    """A function of one example: log odds, or the logarithm of an amount or of a ratio."""

    kind: ClassVar[str]

    def values(self, examples: pd.DataFrame) -> Floats:
        """One value per example."""

    def sql(self) -> str | None:
        """The same as a DuckDB expression, or None where SQL can't say it exactly."""

    def to_dict(self) -> dict[str, Any]:
        """All of it in types that JSON has, its ``kind`` among them; written.py reads it back."""
