"""What to look into: orders that stand out, and customers who are not satisfied."""

from __future__ import annotations

from customer_value.report.page.blocks import Section
from customer_value.report.page.decisions import anomalies, satisfaction
from customer_value.report.page.tables import Tables


def section(tables: Tables) -> Section | None:
    """Nothing where nothing stands out."""
    pictures = [*anomalies.pictures(tables), *satisfaction.pictures(tables)]
    if not pictures:
        return None
    return Section("to-look-into", "What to look into", pictures=pictures)
