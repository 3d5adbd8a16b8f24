"""``customer-value init``: recognises inputs, and writes them into a dbt project."""

from __future__ import annotations

from customer_value.guided_start.findings import Start, start, write
from customer_value.guided_start.page import render

__all__ = ["Start", "render", "start", "write"]
