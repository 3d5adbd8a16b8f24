"""Our recommendations beside popularity and the library implicit, on Complete Journey, out of time.

    make bench-recommendations

The package is built as of four weeks before the end of the data, and what it recommends then is
looked for among what was bought after. implicit gets the same customers, the same products (20
customers or more) and the same history. Which of its models is best is known only in hindsight;
ours chose its methods on the four weeks before. With repeats, our list is what is to be bought
again, and new products where that is less than ten.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import yaml

PROJECT = Path(__file__).resolve().parent.parent
LINES = PROJECT / "build" / "complete_journey" / "order_lines.parquet"
PEERS = PROJECT / "build" / "peers" / "bin" / "python"
END, WINDOW_DAYS, LENGTH = dt.date(2018, 1, 1), 28, 10

# What the package cleans too: lines with a price, by the shop's own day.
LATER = f"""
    select distinct
        cast(household_id as varchar) as customer_id, cast(product_id as varchar) as product_id
    from '{LINES}'
    where cast(timezone('America/New_York', timezone('UTC', transaction_timestamp)) as date) >= ?
        and sales_value + retail_disc + coupon_match_disc > 0
"""
# Customers and products by numbers from 0, without a gap.
HISTORY = """
    create table history as
    select
        customer_id, product_id, purchase_day_count,
        recent_customer_count, customers.customer_count,
        dense_rank() over (order by customer_id) - 1 as customer_number,
        dense_rank() over (order by product_id) - 1 as product_number
    from built.{internal}.int_customer_value__customer_products as customers
    inner join built.{internal}.int_customer_value__products_sold using (product_number)
    where windows_back = 0
"""
OURS = """
    create table lists as
    select
        'ours' as method, is_repeat_allowed, customer_id, product_id,
        row_number() over (
            partition by is_repeat_allowed, customer_id
            order by recommendation_kind desc, recommendation_rank
        ) as list_rank
    from built.customer_value.customer_recommendations
    cross join (values (false), (true)) as tasks (is_repeat_allowed)
    where is_repeat_allowed or recommendation_kind = 'new'
"""
POPULAR = """
    insert into lists
    with products as (
        select distinct product_id, {count} as customer_count from history
    ),
    customers as (select distinct customer_id from history)
    select
        'popularity, {label}', is_repeat_allowed, customer_id, product_id,
        row_number() over (
            partition by is_repeat_allowed, customer_id
            order by products.customer_count desc, product_id
        )
    from customers
    cross join products
    cross join (values (false), (true)) as tasks (is_repeat_allowed)
    left join history using (customer_id, product_id)
    where is_repeat_allowed or history.customer_id is null
    qualify row_number() over (
        partition by is_repeat_allowed, customer_id
        order by products.customer_count desc, product_id
    ) <= {length}
"""
FIGURES = f"""
    with sought as (
        select is_repeat_allowed, later.customer_id, later.product_id
        from later
        cross join (values (false), (true)) as tasks (is_repeat_allowed)
        left join history using (customer_id, product_id)
        where later.customer_id in (select customer_id from history)
            and later.product_id in (select product_id from history)
            and (is_repeat_allowed or history.customer_id is null)
    ),
    judged as (
        select
            is_repeat_allowed, customer_id, count(*) as sought_count,
            list_sum([1 / log2(place + 1) for place in range(1, least(count(*), {LENGTH}) + 1)])
                as best_gain
        from sought group by all
    ),
    methods as (select distinct is_repeat_allowed, method from lists),
    found as (
        select lists.*, sought.customer_id is not null as is_found
        from lists
        inner join judged using (is_repeat_allowed, customer_id)
        left join sought using (is_repeat_allowed, customer_id, product_id)
        where list_rank <= {LENGTH}
    ),
    by_customer as (
        select
            is_repeat_allowed, method, customer_id,
            coalesce(count(*) filter (is_found) / any_value(sought_count), 0) as recall,
            coalesce(sum(1 / log2(list_rank + 1)) filter (is_found) / any_value(best_gain), 0)
                as ndcg
        from methods
        inner join judged using (is_repeat_allowed)
        left join found using (is_repeat_allowed, method, customer_id)
        group by all
    ),
    covered as (
        select is_repeat_allowed, method, count(distinct product_id) as product_count
        from found group by all
    )
    select
        is_repeat_allowed, method, avg(recall) as recall, avg(ndcg) as ndcg,
        any_value(product_count) / (select count(distinct product_id) from history) as coverage,
        count(*) as customers
    from by_customer
    inner join covered using (is_repeat_allowed, method)
    group by all
    order by is_repeat_allowed, ndcg desc
"""


def build(database: Path, as_of_date: dt.date) -> None:
    """Build the recommendations as of a date."""
    variables = yaml.safe_load((PROJECT / "examples" / "complete_journey.yml").read_text())
    variables |= {"as_of_date": str(as_of_date), "recommendation_window_days": WINDOW_DAYS}
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *("build", "--quiet", "--profiles-dir", "profiles"),
            *("--target-path", str(database.parent / "target")),
            *("--select", "+customer_recommendations"),
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--vars", json.dumps(variables)),
        ],
        cwd=PROJECT,
        env={**os.environ, "CUSTOMER_VALUE_WAREHOUSE": str(database)},
        check=True,
    )


def measured(database: Path, as_of_date: dt.date) -> pd.DataFrame:
    """Every method's figures, with repeats and without."""
    history, lists = (database.parent / f"{name}.csv" for name in ("history", "lists"))
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as built (read_only)")
        connection.execute(HISTORY.format(internal="customer_value_internal"))
        connection.execute("create table later as " + LATER, [as_of_date])
        connection.execute(OURS)
        for label, count in (("4 weeks", "recent_customer_count"), ("ever", "customer_count")):
            connection.execute(POPULAR.format(label=label, count=count, length=LENGTH))
        connection.execute(
            "copy (select customer_number, product_number, purchase_day_count from history)"
            f" to '{history}'"
        )
        script = PROJECT / "benchmarks" / "recommendation_peers.py"
        subprocess.run([str(PEERS), str(script), str(history), str(lists)], check=True)
        connection.execute(
            f"""
            insert into lists
            select method, is_repeat_allowed, customer_id, product_id, list_rank
            from '{lists}'
            inner join (select distinct customer_number, customer_id from history)
                using (customer_number)
            inner join (select distinct product_number, product_id from history)
                using (product_number)
            """
        )
        figures: pd.DataFrame = connection.sql(FIGURES).df()
    return figures


def main() -> None:
    """Print a table for new products, and one with repeats."""
    as_of_date = END - dt.timedelta(days=WINDOW_DAYS)
    if not LINES.exists():
        subprocess.run(
            [sys.executable, str(PROJECT / "examples" / "complete_journey.py")], check=True
        )
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "customer_value.duckdb"
        build(database, as_of_date)
        figures = measured(database, as_of_date)
    for is_repeat_allowed, rows in figures.groupby("is_repeat_allowed"):
        title = "Repeats allowed" if is_repeat_allowed else "New products alone"
        count = int(rows["customers"].iloc[0])
        print(f"\n{title}: {WINDOW_DAYS} days from {as_of_date}, {count:,} customers\n")
        print(f"| method | recall@{LENGTH} | NDCG@{LENGTH} | coverage |")
        print("|---|---|---|---|")
        for row in rows.itertuples():
            print(f"| {row.method} | {row.recall:.4f} | {row.ndcg:.4f} | {row.coverage:.4f} |")


if __name__ == "__main__":
    main()
