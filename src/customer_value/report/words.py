"""Numbers, dates and names as people read them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

NOT_KNOWN = "–"
Number = int | float | Decimal


def compact(number: Number) -> str:
    """To three or four signs, with its power of a thousand: 12k, 3.4M."""
    value = float(number)
    if abs(value) >= 1e15:
        return f"{value:.1e}"
    for size, letter in ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if letter == "k" else size)
            return f"{scaled:,.{1 if abs(scaled) < 100 and letter != 'k' else 0}f}{letter}"
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:,.2f}"


def money(number: Number, currency: str) -> str:
    """A compact amount with the code of its currency, where it has one."""
    return f"{compact(number)} {shortened(currency, 8)}".strip()


def cents(number: Number) -> str:
    """An amount in full, for tables."""
    return f"{number:,.2f}"


def count(number: int) -> str:
    """A whole number in full."""
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 customer, 2,000 customers."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def exact_percent(rate: float) -> str:
    """A rate in 0..1 to a tenth of a percent; what is not nothing never reads 0.0%."""
    if 0 < rate < 0.0005:
        return "<0.1%"
    if 0.9995 <= rate < 1:
        return ">99.9%"
    return f"{100 * rate:.1f}%"


def percent(rate: float | None) -> str:
    """A rate in 0..1 without decimals, but for what is too small to be told so."""
    if rate is None:
        return NOT_KNOWN
    return exact_percent(rate) if 0 < rate < 0.01 or 0.995 <= rate < 1 else f"{100 * rate:.0f}%"


def signed(number: Number, shown: str) -> str:
    """What is shown of the size of a change, with a sign in front."""
    return f"+{shown}" if number > 0 else f"−{shown}" if number < 0 else "no change"


def day(date: dt.date | None) -> str:
    """1 July 1998, in which nobody can mistake the day for the month."""
    return f"{date.day} {date:%B %Y}" if date else NOT_KNOWN


def month(date: dt.date) -> str:
    """Jul 1998."""
    return f"{date:%b %Y}"


def spoken(name: str) -> str:
    """A name of the data's as words: underscores are spaces."""
    return name.replace("_", " ")


def shortened(name: str, length: int = 16) -> str:
    """A name that fits where it stands."""
    return name if len(name) <= length else f"{name[: length - 1]}…"


def listed(words: list[str]) -> str:
    """Words in a row: a, b and c."""
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])
