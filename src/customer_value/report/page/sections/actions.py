"""What to do, and what it brings: the plan, campaigns, recommendations and bundles."""

from __future__ import annotations

from customer_value.report.page.blocks import Section
from customer_value.report.page.decisions import campaigns, plan, recommendations
from customer_value.report.page.tables import Tables


def section(tables: Tables) -> Section | None:
    """Nothing where there is neither a plan, nor a campaign, nor order lines."""
    pictures = [
        *plan.pictures(tables),
        *campaigns.pictures(tables),
        *recommendations.pictures(tables),
    ]
    bundles = recommendations.bundles(tables)
    if not pictures and not bundles:
        return None
    return Section(
        "actions-and-effects", "What to do, and what it brings", pictures=pictures, tables=bundles
    )
