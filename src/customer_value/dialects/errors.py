"""What stops a translation."""

from __future__ import annotations


class UntranslatableError(ValueError):
    """A construct that a dialect has no equal for; the message names both."""
