"""What to do next: what is broken first, then where value can be kept or won."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page.blocks import Section, Step
from customer_value.report.page.tables import Tables

# Segments that are worth a word while they can still be reached, and what to do about each.
SEGMENTS_TO_ACT_ON = {
    "cannot_lose_them": "Win back",
    "at_risk": "Remind",
    "needs_attention": "Make an offer to",
    "potential_loyalists": "Invite back",
}


def section(tables: Tables) -> Section | None:
    """Steps, each with its reason."""
    if tables.as_of_date is None:
        return None
    steps = [
        *_of_quality(tables),
        *_of_models(tables),
        *_of_best_customers(tables),
        *_of_fallen(tables),
        *_of_segments(tables),
    ]
    if not steps:
        return Section("next-steps", "What to do next", ("Nothing calls for action.",))
    return Section("next-steps", "What to do next", steps=steps)


def _of_quality(tables: Tables) -> list[Step]:
    if not tables.has("data_quality"):
        return []
    rows = tables.rows(
        """
        select
            severity,
            count(*),
            string_agg(input_name || ': ' || metric, ', ' order by input_name, metric, subject)
        from data_quality
        where as_of_date = $today and severity <> 'pass'
        group by severity order by severity
        """,
        today=tables.as_of_date,
    )
    return [
        Step(
            "now" if severity == "error" else "soon",
            f"Mend {words.counted(count, 'figure')} of data quality beyond its threshold",
            f"{words.spoken(names)}. Whatever follows is only as good as the orders.",
            "data-quality",
        )
        for severity, count, names in rows
    ]


def _of_models(tables: Tables) -> list[Step]:
    if not tables.has("model_health"):
        return []
    rows = tables.rows(
        """
        select model_name, advice, reason from model_health
        where as_of_date = $today and advice <> 'ok'
        order by advice desc, model_name
        """,
        today=tables.as_of_date,
    )
    what = {"retrain": "Train the {} model anew", "investigate": "Look into the {} model"}
    return [
        Step(
            "soon",
            what.get(advice, advice + ": {}").format(words.spoken(name)),
            reason,
            "accuracy",
        )
        for name, advice, reason in rows
    ]


def _of_best_customers(tables: Tables) -> list[Step]:
    """Of the tier that holds most value per head, who may leave."""
    if not tables.has("customer_tiers") or not tables.has("customer_churn"):
        return []
    rows = tables.rows(
        """
        with best as (

            select tier from customer_tiers
            group by tier order by max(cltv_percentile) desc, tier limit 1

        )

        select
            customer_tiers.tier,
            count(*),
            sum(customer_tiers.predicted_value),
            avg(customer_churn.churn_probability)
        from customer_tiers
        inner join customer_churn using (customer_id)
        where
            customer_tiers.tier = (select tier from best)
            and customer_churn.churn_risk_band <> 'low'
        group by customer_tiers.tier
        """
    )
    return [
        Step(
            "soon",
            f"Hold on to {words.counted(count, f'{words.spoken(tier)} customer')} at raised risk "
            "of churn",
            f"They are expected to bring {words.money(value, tables.currency)} although on average "
            f"each leaves with a chance of {words.percent(risk)}.",
            "churn-risk",
        )
        for tier, count, value, risk in rows
        if value > 0
    ]


def _of_fallen(tables: Tables) -> list[Step]:
    """Who left the best tier since the refresh before."""
    if not tables.has("customer_tiers") or not tables.has("tier_movements"):
        return []
    rows = tables.rows(
        """
        with best as (

            select tier from customer_tiers
            group by tier order by max(cltv_percentile) desc, tier limit 1

        )

        select from_tier, sum(customer_count), sum(previous_predicted_value), sum(predicted_value)
        from tier_movements
        where
            as_of_date = $today
            and from_tier = (select tier from best)
            and to_tier not in ('none', from_tier)
        group by from_tier
        """,
        today=tables.as_of_date,
    )
    return [
        Step(
            "idea",
            f"Ask why {words.counted(int(count), 'customer')} fell from {words.spoken(tier)}",
            f"Since {words.day(tables.previous_date)} their predicted value went from "
            f"{words.money(before, tables.currency)} to {words.money(now, tables.currency)}.",
            "changes",
        )
        for tier, count, before, now in rows
    ]


def _of_segments(tables: Tables) -> list[Step]:
    """The segment worth acting on that brought most, if any of those is there."""
    if not tables.has("customer_rfm"):
        return []
    rows = tables.rows(
        """
        select rfm_segment, count(*), sum(net_amount), median(recency_days)
        from customer_rfm
        where list_contains($segments, rfm_segment)
        group by rfm_segment
        order by sum(net_amount) desc, rfm_segment
        limit 1
        """,
        segments=list(SEGMENTS_TO_ACT_ON),
    )
    return [
        Step(
            "idea",
            f"{SEGMENTS_TO_ACT_ON[segment]} {words.counted(count, 'customer')} of the segment "
            f"“{words.spoken(segment)}”",
            f"They brought {words.money(net, tables.currency)} so far; half of them have been "
            f"silent for {words.counted(round(silent), 'day')} or longer.",
            "segments",
        )
        for segment, count, net, silent in rows
    ]
