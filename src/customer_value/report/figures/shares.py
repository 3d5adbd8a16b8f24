"""Parts of a whole."""

from __future__ import annotations

from decimal import Decimal


def share(part: int | Decimal, whole: int | Decimal) -> float | None:
    """The part of the whole, in 0..1, or None where the whole is not positive."""
    return round(float(part) / float(whole), 9) if whole > 0 else None
