"""How predicted value is spread over customers: many who bring little, few who bring much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

# Steps of 1, 2 and 5 in each power of ten; what is below the last of so many is one bin.
MOST_BINS = 14
STEPS = (1, 2, 5)
SHARES = (1, 5, 10, 20, 50)


@dataclass(frozen=True)
class Bin:
    """Customers with a predicted value from lower up to upper; lower is None for all below."""

    lower: float | None
    upper: float
    customer_count: int
    predicted_value: Decimal


def section(tables: Tables) -> Section | None:
    """A histogram on a scale of ratios."""
    if not tables.has("customer_cltv"):
        return None
    bins = _bins(tables)
    if not bins:
        return None
    return Section(
        "value-distribution",
        "How is value spread?",
        pictures=[_picture(bins, _concentration(tables), tables.currency)],
    )


def _bins(tables: Tables) -> list[Bin]:
    rows = tables.rows(
        """
        with values_split as (

            select
                predicted_value,
                case when predicted_value >= 0.01 then floor(log10(predicted_value)) end as power
            from customer_cltv

        ),

        binned as (

            select
                predicted_value,
                3 * power
                + case
                    when predicted_value >= 5 * pow(10, power) then 2
                    when predicted_value >= 2 * pow(10, power) then 1
                    else 0
                end as bin
            from values_split

        )

        select cast(bin as integer), count(*), coalesce(sum(predicted_value), 0)
        from binned
        group by bin
        order by bin nulls first
        """
    )
    if not rows:
        return []
    known = [number for number, _, _ in rows if number is not None]
    first = max(min(known), max(known) - MOST_BINS + 1) if known else -6
    below = [row for row in rows if row[0] is None or row[0] < first]
    bins = [
        Bin(
            None,
            _edge(first),
            sum(count for _, count, _ in below),
            sum((value for _, _, value in below), Decimal(0)),
        )
    ]
    counted = {number: (count, value) for number, count, value in rows}
    for number in range(first, max(known) + 1) if known else ():
        count, value = counted.get(number, (0, Decimal(0)))
        bins.append(Bin(_edge(number), _edge(number + 1), count, value))
    return bins if bins[0].customer_count else bins[1:]


def _edge(number: int) -> float:
    power, step = divmod(number, len(STEPS))
    return STEPS[step] * 10.0**power


def _concentration(tables: Tables) -> list[tuple[int, float]]:
    """The share of all predicted value that the top percents of customers hold."""
    columns = ", ".join(
        f"sum(predicted_value) filter (place <= greatest(1, round({share} * customers / 100.0)))"
        for share in SHARES
    )
    total, least, *held = tables.row(
        f"""
        with ranked as (

            select
                predicted_value,
                row_number() over (order by predicted_value desc, customer_id) as place,
                count(*) over () as customers
            from customer_cltv

        )

        select sum(predicted_value), min(predicted_value), {columns} from ranked
        """
    )
    if total <= 0 or least < 0:
        return []
    return [(share, float(value / total)) for share, value in zip(SHARES, held, strict=True)]


def _picture(
    bins: Sequence[Bin], concentration: Sequence[tuple[int, float]], currency: str
) -> Picture:
    title = f"Customers by predicted value, up to {words.money(bins[-1].upper, currency)}"
    told = ""
    if concentration:
        held = dict(concentration)
        title = f"The top tenth of customers holds {words.percent(held[10])} of predicted value"
        told = (
            " "
            + "; ".join(
                f"the top {share}% hold {words.percent(rate)}" for share, rate in concentration
            ).capitalize()
            + "."
        )
    return Picture(
        title,
        f"Histogram of customers by predicted value in {words.counted(len(bins), 'bin')}, beside "
        "the value that each bin holds.",
        lambda space: _draw(space, bins),
        Table(
            "Customers by predicted value",
            ("predicted value", "customers", "predicted value of all of them"),
            [
                (
                    _range(found),
                    words.count(found.customer_count),
                    words.cents(found.predicted_value),
                )
                for found in bins
            ],
        ),
        "Share of customers (grey) and of predicted value (blue) by what a customer is expected to "
        f"bring, on a scale of ratios.{told}",
    )


def _range(found: Bin) -> str:
    if found.lower is None:
        return f"below {words.compact(found.upper)}"
    return f"{words.compact(found.lower)} to {words.compact(found.upper)}"


def _draw(space: drawing.Space, bins: Sequence[Bin]) -> Figure:
    figure, axes = space.canvas(250, left=14, right=2, top=20, bottom=44)
    customers = sum(found.customer_count for found in bins)
    values = [max(float(found.predicted_value), 0.0) for found in bins]
    total = sum(values) or 1.0
    rates = [
        (found.customer_count / customers, value / total)
        for found, value in zip(bins, values, strict=True)
    ]
    axes.set_xlim(0, len(bins))
    axes.set_ylim(0, max(max(pair) for pair in rates))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.axhline(0, color=drawing.FAINT, linewidth=1, clip_on=False)
    for place, pair in enumerate(rates):
        for offset, rate, colour in ((0.29, pair[0], drawing.GREY), (0.71, pair[1], drawing.BLUE)):
            axes.bar(place + offset, rate, width=0.38, color=colour)
            if rate >= 0.005 and (
                not space.is_narrow
                or rate in (max(pair[0] for pair in rates), max(p[1] for p in rates))
            ):
                text = f"{100 * rate:.0f}%"
                drawing.label(axes, text, (place + offset, rate), (0, 9), ha="center", size=11)
    every = 3 if space.is_narrow else 1
    for place, found in enumerate(bins):
        if found.lower is not None and (place % every == 0 or len(bins) < 6):
            drawing.label(
                axes, words.compact(found.lower), (place, 0), (0, -13), **drawing.CENTRED_QUIETLY
            )
    if bins[0].lower is None:
        drawing.label(axes, "less", (0.5, 0), (0, -13), **drawing.CENTRED_QUIETLY)
    drawing.label(
        axes,
        "predicted value of a customer",
        (len(bins) / 2, 0),
        (0, -33),
        **drawing.CENTRED_QUIETLY,
    )
    return figure
