"""A model's SQL without dbt: over tables that are called as its refs are."""

from __future__ import annotations

from types import SimpleNamespace

import jinja2

from conftest import PROJECT


def rendered(path: str, **variables: object) -> str:
    """The SQL of models/<path>, the package's macros being what they are on DuckDB.

    Args:
        path: of the model's file.
        variables: the vars that it reads.
    """
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - SQL, no page
    quantiles = (PROJECT / "macros" / "quantiles_by_count.sql").read_text()
    environment.globals.update(
        ref=lambda *names: names[-1],
        var=lambda name: variables[name],
        customer_value=SimpleNamespace(
            type_double=lambda: "double",
            type_amount=lambda: "decimal(18, 2)",
            type_expectation=lambda: "decimal(38, 6)",
            dateadd=lambda _, count, day: f"({day} + to_days({count}))",
            datediff=lambda first, last, unit: f"datediff('{unit}', {first}, {last})",
            reporting_date=lambda time: f"cast({time} as date)",
            integers=lambda first, last, name: (
                f"select unnest(generate_series({first}, ({last}))) as {name}"
            ),
            quantiles_by_count=vars(environment.from_string(quantiles).module)[
                "quantiles_by_count"
            ],
            median_of_previous=lambda value, by, order, count: (
                f"median({value}) over (partition by {by} order by {order}"
                f" rows between {count} preceding and 1 preceding)"
            ),
        ),
        dbt=SimpleNamespace(
            type_string=lambda: "varchar",
            type_bigint=lambda: "bigint",
            type_int=lambda: "integer",
        ),
    )
    source = (PROJECT / "models" / path).read_text()
    return environment.from_string(source).render()
