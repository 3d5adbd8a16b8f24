"""The sections of the report, in the order that the page shows them."""

from __future__ import annotations

from collections.abc import Callable

from customer_value.report.page.blocks import Section
from customer_value.report.page.sections import (
    accuracy,
    actions,
    at_a_glance,
    changes,
    churn_risk,
    cohorts,
    customers_next,
    data_quality,
    definitions,
    fairness,
    next_steps,
    oddities,
    refreshes,
    revenue,
    segments,
    tiers,
    value_distribution,
)
from customer_value.report.page.tables import Tables

SECTIONS: tuple[Callable[[Tables], Section | None], ...] = (
    at_a_glance.section,
    next_steps.section,
    changes.section,
    tiers.section,
    churn_risk.section,
    segments.section,
    cohorts.section,
    customers_next.section,
    value_distribution.section,
    revenue.section,
    actions.section,
    oddities.section,
    accuracy.section,
    fairness.section,
    data_quality.section,
    refreshes.section,
    definitions.section,
)
