"""Campaigns: what each treatment changed, where a control group tells, and differences else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

# Beyond so many treatments those of fewest customers are in the table of the database alone.
MOST_TREATMENTS = 14
EVIDENCE = {
    "control_group": "control group",
    "control_group_unlike": "control group unlike the treated",
    "observational": "none, similar customers beside",
    "nothing_to_compare": "none, nobody to compare with",
}


@dataclass(frozen=True)
class Uplift:
    """All customers of a treatment beside others; figures are None where it is too small."""

    campaign: str
    treatment: str
    evidence: str
    is_randomised: bool
    treated_count: int
    compared_count: int
    effect: float | None
    lower: float | None
    upper: float | None
    verdict: str

    @property
    def name(self) -> str:
        """Campaign and treatment."""
        return f"{self.campaign}, {self.treatment}"


def pictures(tables: Tables) -> list[Picture]:
    """A forest plot each of orders and of money."""
    if not tables.has("campaign_uplift", "evidence", "effect", "verdict"):
        return []
    found = [
        _picture(tables, "conversion", "who ordered", _points),
        _picture(tables, "net_amount", "net amount per customer", _amount),
    ]
    return [picture for picture in found if picture is not None]


def _points(rate: float) -> str:
    return f"{100 * rate:+.1f} pp".replace("-", "−")


def _amount(amount: float) -> str:
    return f"{amount:+,.2f}".replace("-", "−")


def _picture(
    tables: Tables, metric: str, what: str, shown: Callable[[float], str]
) -> Picture | None:
    rows = [
        Uplift(*row)
        for row in tables.rows(
            """
            select
                campaign_id,
                treatment,
                evidence,
                is_randomised,
                treated_customer_count,
                compared_customer_count,
                effect,
                effect_lower,
                effect_upper,
                verdict
            from campaign_uplift
            where segment_kind = 'all' and metric = $metric
            order by
                not is_randomised,
                effect is null,
                treated_customer_count desc,
                campaign_id,
                treatment
            limit $most
            """,
            metric=metric,
            most=MOST_TREATMENTS,
        )
    ]
    # Effects first, then what is none.
    rows.sort(key=lambda row: (not row.is_randomised, -(row.effect or 0), row.name))
    drawn = [
        plots.Interval(
            row.name,
            row.effect,
            row.lower,
            row.upper,
            shown(row.effect),
            drawing.BLUE if row.is_randomised else drawing.GREY,
        )
        for row in rows
        if row.effect is not None and row.lower is not None and row.upper is not None
    ]
    if not drawn:
        return None
    return Picture(
        _title(rows, what),
        f"Difference in {what}, with its interval, for {words.counted(len(drawn), 'treatment')}; "
        "a line marks no difference.",
        lambda space: plots.intervals(space, drawn, shown, 0.0),
        Table(
            f"Treated beside untreated: {what}",
            (
                "campaign",
                "treatment",
                "control group",
                "treated",
                "compared",
                "difference",
                "95% interval",
                "verdict",
            ),
            [
                (
                    row.campaign,
                    row.treatment,
                    EVIDENCE.get(row.evidence, words.spoken(row.evidence)),
                    words.count(row.treated_count),
                    words.count(row.compared_count),
                    words.NOT_KNOWN if row.effect is None else shown(row.effect),
                    words.NOT_KNOWN
                    if row.lower is None or row.upper is None
                    else f"{shown(row.lower)} to {shown(row.upper)}",
                    words.spoken(row.verdict),
                )
                for row in rows
            ],
            frozenset({1, 2, 7}),
        ),
        f"Treated less untreated: {what}, with the 95% interval. Blue: against a control group "
        "that looks as one drawn at random does, so an effect of the treatment. Grey: against "
        "customers who were alike before, which is no effect: whoever chose whom to contact may "
        "have known more.",
    )


def _title(rows: Sequence[Uplift], what: str) -> str:
    randomised = [row for row in rows if row.is_randomised]
    measured = [row for row in randomised if row.effect is not None]
    if not measured:
        had = "a control group large enough" if randomised else "a control group drawn at random"
        return f"No treatment had {had}: differences in {what}, none of them an effect"
    moved = sum(row.verdict in ("raises", "lowers") for row in measured)
    return (
        f"{moved} of {words.counted(len(measured), 'treatment')} with a control group changed "
        f"{what} by more than chance"
    )
