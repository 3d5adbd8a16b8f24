"""What customers do next: stages of life, paths to a purchase, and demand."""

from __future__ import annotations

from customer_value.report.page.blocks import Section
from customer_value.report.page.decisions import demand, lifecycle, paths
from customer_value.report.page.tables import Tables


def section(tables: Tables) -> Section | None:
    """Nothing where none of these tables has a row."""
    pictures = [*lifecycle.pictures(tables), *paths.pictures(tables), *demand.pictures(tables)]
    if not pictures:
        return None
    return Section("what-customers-do", "What customers do next", pictures=pictures)
