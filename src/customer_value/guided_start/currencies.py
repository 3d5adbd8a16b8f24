"""What has to be said of money in more than one currency."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from customer_value.guided_start.mappings import Mapping

SHOWN = 5
MONEY_INPUTS = ("orders", "order_lines", "refunds")


def currencies_comments(
    connection: duckdb.DuckDBPyConnection, mappings: Sequence[Mapping]
) -> list[str]:
    """The sentence that says what several currencies need; none where there is one or none."""
    found: set[str] = set()
    silent: list[str] = []
    # Refunds are in the currency of their order, and lines too where there are orders.
    are_there = {mapping.input_name for mapping in mappings}
    speaker = "orders" if "orders" in are_there else "order_lines"
    for mapping in mappings:
        expression = mapping.expression("currency")
        if mapping.input_name not in MONEY_INPUTS:
            continue
        if expression is None:
            silent += [mapping.source.label] if mapping.input_name == speaker else []
        else:
            rows = connection.execute(
                f"select distinct upper(trim(cast({expression} as varchar))) as currency "
                f"from {mapping.source.relation} as typed where {expression} is not null"
            ).fetchall()
            found |= {currency for (currency,) in rows if currency}
    if len(found) < 2:
        return []
    names = sorted(found)
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    needed = "set the var reporting_currency to the one that everything is to be counted in"
    if not any(mapping.input_name == "exchange_rates" for mapping in mappings):
        needed += ", and give the input exchange_rates for the others"
    comments = [f"Amounts are in {len(names)} currencies ({shown}): {needed}."]
    if silent:
        comments.append(
            f"No column of {' and '.join(silent)} says a currency: where it is another than the "
            "reporting one, write it among the columns, such as currency: \"'EUR'\"."
        )
    return comments
