"""An order log as a shop's, for the benchmarks: seeded, of any size, in bounded memory.

Customers are acquired over three years and drop out after a while. About half of them buy once,
some buy hundreds of times, ten orders per customer on average. What an order is worth is
heavy-tailed and differs by customer. A few rows per mille are dirty: orders delivered again in
a later version, keys and times that are missing, amounts that are missing, infinite, not a
number or absurd.

The rows are in the order in which a shop would have written them (by ``updated_at``), and one
seed gives the same rows on any number of threads.

With ``--lines`` the orders get lines, about six each. Customers have favourite categories, which
hold most of what they buy; some products are bought a thousand times as often as others.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

CUSTOMERS: Final = 1_000_000
SEED: Final = 42

# A part of the file has its own stream of random numbers, so its size is part of the seed.
CUSTOMERS_PER_PART: Final = 200_000

DAY: Final = 86_400
YEAR: Final = 365.25 * DAY
HISTORY_STARTS: Final = 1_640_995_200  # 2022-01-01 00:00:00 UTC
HISTORY_SECONDS: Final = 3 * YEAR

MEAN_LIFETIME: Final = 1.5 * YEAR
# Customers who never come back, and the orders per year of those who may: lognormal, at most.
ONE_TIME_SHARE: Final = 0.35
MEDIAN_ORDERS_PER_YEAR: Final = 4.0
ORDERS_PER_YEAR_SIGMA: Final = 1.75
MOST_ORDERS_PER_YEAR: Final = 350.0

MEDIAN_ORDER_CENTS: Final = 3_500.0
CUSTOMER_CENTS_SIGMA: Final = 0.7
ORDER_CENTS_SIGMA: Final = 0.8
DISCOUNTED_SHARE: Final = 0.2
REFUNDED_SHARE: Final = 0.05
FAVOURITE_CHANNEL_SHARE: Final = 0.85

# Rows per mille of each kind of dirt. Its number in the list, from one, is its code.
DIRT_PER_MILLE: Final = {
    "missing_order_id": 0.1,
    "missing_customer_id": 1.0,
    "blank_customer_id": 0.2,
    "missing_ordered_at": 0.3,
    "missing_amount": 0.5,
    "amount_not_a_number": 0.2,
    "infinite_amount": 0.2,
    "absurd_amount": 0.1,
}
REDELIVERED_PER_MILLE: Final = 3.0

# Multiplying by a number without a common factor makes keys that are unique and look shuffled.
ORDER_KEYS: Final = 10**10
ORDER_KEY_FACTOR: Final = 6_364_136_223

WRITE_ORDERS: Final = """
copy (
    select
        case when dirt <> 1 then 'ord-' || lpad(order_key::varchar, 10, '0') end as order_id,
        case
            when dirt = 3 then ''
            when dirt <> 2 then 'cust-' || lpad(cast(customer_number as varchar), 8, '0')
        end as customer_id,
        case when dirt <> 4 then make_timestamp(ordered_at * 1000000) end as ordered_at,
        case dirt
            when 5 then null
            when 6 then cast('nan' as double)
            when 7 then cast('infinity' as double)
            when 8 then 1e20
            else amount_cents / 100
        end as amount,
        case when discount_cents > 0 then discount_cents / 100 end as discount_amount,
        case when refund_cents > 0 then refund_cents / 100 end as refund_amount,
        ['web', 'app', 'store', 'marketplace'][channel + 1] as channel,
        make_timestamp(updated_at * 1000000) as updated_at
    from (
        select * from parts
        order by updated_at, order_key, version
    )
) to '{path}' (format parquet, compression snappy)
"""

PRODUCTS: Final = 20_000
CATEGORIES: Final = 200
MOST_LINES: Final = 11
FAVOURITE_CATEGORIES: Final = 5
FAVOURITE_CATEGORY_SHARE: Final = 0.7

# Random numbers are hashes, so that they depend neither on threads nor on the order of rows. Low
# ranks are far more likely, among categories as among the products of one.
WRITE_LINES: Final = """
copy (
    with orders as (
        select order_id, customer_id, ordered_at, amount
        from '{orders}'
        where
            order_id is not null and customer_id <> '' and ordered_at is not null
            and isfinite(amount) and amount < 1e9
        qualify row_number() over (partition by order_id order by updated_at desc) = 1
    ),
    lines as (
        select orders.*, line_number, hash({seed}, order_id, line_number) as drawn
        from orders
        cross join
            unnest(range(1, 2 + (hash({seed}, order_id) % {most_lines})::bigint))
            as numbers (line_number)
    ),
    placed as (
        select
            *,
            power(drawn % 1000003 / 1000003, 2) as product_place,
            case
                when drawn // 7 % 1000 < 1000 * {favourite_share}
                    then hash({seed}, customer_id, drawn // 13 % {favourites}) % 1000003 / 1000003
                else drawn // 17 % 1000003 / 1000003
            end as category_place
        from lines
    ),
    chosen as (
        select
            *,
            floor({categories} * power(category_place, 2))::int as category_number,
            floor({products} / {categories} * product_place)::int as place_in_category
        from placed
    )
    select
        order_id,
        line_number,
        'prod-' || lpad(
            (category_number * {products} // {categories} + place_in_category)::varchar, 6, '0'
        ) as product_id,
        'category ' || category_number as category,
        1 as quantity,
        round(amount / count(*) over (partition by order_id), 2) as unit_price
    from chosen
    order by ordered_at, order_id, line_number
) to '{path}' (format parquet, compression snappy)
"""


def draw_part(part: int, customers: int, seed: int) -> dict[str, Integers]:
    """Draw the orders of one part of the customers.

    Args:
        part: the number of the part, from zero; with the seed it decides every random number.
        customers: how many customers the part has.
        seed: the seed of the whole file.

    Returns:
        Columns of one length, a row per delivered order: times in seconds since 1970, money in
        cents, ``order_in_part`` numbering the orders from zero, ``version`` 1 for an order
        that was delivered again.
    """
    random = np.random.default_rng([seed, part])

    acquired_at = random.uniform(0.0, HISTORY_SECONDS, customers)
    lifetime = np.minimum(
        random.exponential(MEAN_LIFETIME, customers), HISTORY_SECONDS - acquired_at
    )
    orders_per_year = np.minimum(
        random.lognormal(np.log(MEDIAN_ORDERS_PER_YEAR), ORDERS_PER_YEAR_SIGMA, customers),
        MOST_ORDERS_PER_YEAR,
    )
    orders_per_year[random.random(customers) < ONE_TIME_SHARE] = 0.0
    order_counts = 1 + random.poisson(orders_per_year * lifetime / YEAR)
    customer_cents = random.lognormal(np.log(MEDIAN_ORDER_CENTS), CUSTOMER_CENTS_SIGMA, customers)
    favourite_channel = random.choice(4, customers, p=[0.5, 0.25, 0.15, 0.1])

    customer = np.repeat(np.arange(customers), order_counts)
    orders = len(customer)
    is_first = np.zeros(orders, dtype=bool)
    is_first[np.cumsum(order_counts) - order_counts] = True

    since_acquired = np.where(is_first, 0.0, random.random(orders)) * lifetime[customer]
    ordered_at = (HISTORY_STARTS + acquired_at[customer] + since_acquired).astype(np.int64)
    order_cents = random.lognormal(0.0, ORDER_CENTS_SIGMA, orders)
    amount = np.rint(customer_cents[customer] * order_cents).astype(np.int64)
    discount_share = np.where(
        random.random(orders) < DISCOUNTED_SHARE, random.uniform(0.05, 0.3, orders), 0.0
    )
    discount = np.rint(amount * discount_share).astype(np.int64)
    is_refunded = random.random(orders) < REFUNDED_SHARE
    refund_share = np.where(is_refunded, np.minimum(random.uniform(0.1, 2.0, orders), 1.0), 0.0)
    refund = np.rint((amount - discount) * refund_share).astype(np.int64)
    is_favourite = random.random(orders) < FAVOURITE_CHANNEL_SHARE
    channel = np.where(is_favourite, favourite_channel[customer], random.integers(0, 4, orders))
    delay = random.exponential(0.5 * DAY, orders) + is_refunded * random.uniform(
        DAY, 30 * DAY, orders
    )

    per_mille = np.cumsum(list(DIRT_PER_MILLE.values()))
    dirt = np.searchsorted(per_mille, random.uniform(0.0, 1000.0, orders), side="right") + 1
    dirt[dirt > len(per_mille)] = 0

    columns: dict[str, Integers] = {
        "order_in_part": np.arange(orders),
        "version": np.zeros(orders, dtype=np.int64),
        "customer_in_part": customer,
        "ordered_at": ordered_at,
        "amount_cents": amount,
        "discount_cents": discount,
        "refund_cents": refund,
        "channel": channel,
        "updated_at": ordered_at + delay.astype(np.int64),
        "dirt": dirt,
    }

    again = np.flatnonzero(random.uniform(0.0, 1000.0, orders) < REDELIVERED_PER_MILLE)
    redelivered = {name: values[again] for name, values in columns.items()}
    redelivered["version"] = np.ones(len(again), dtype=np.int64)
    redelivered["updated_at"] += random.integers(1, 10 * DAY, len(again))
    redelivered["amount_cents"] += random.integers(0, 500, len(again))

    return {name: np.concatenate([values, redelivered[name]]) for name, values in columns.items()}


def generate(
    path: Path, customers: int = CUSTOMERS, seed: int = SEED, memory_limit: str = "4GB"
) -> int:
    """Write an order log to a Parquet file.

    Args:
        path: the file to write; it appears only when it is whole.
        customers: how many customers; there are about ten orders for each.
        seed: the same seed and number of customers give the same rows.
        memory_limit: what DuckDB may use to sort the rows; it spills to disk beside the file.

    Returns:
        How many rows were written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="generating_") as scratch:
        unfinished = Path(scratch) / "orders.parquet"
        with duckdb.connect(Path(scratch) / "parts.duckdb") as connection:
            connection.execute(f"set memory_limit = '{memory_limit}'")
            orders = 0
            for part, first_customer in enumerate(range(0, customers, CUSTOMERS_PER_PART)):
                drawn = draw_part(part, min(CUSTOMERS_PER_PART, customers - first_customer), seed)
                order_numbers = orders + drawn.pop("order_in_part")
                orders = int(order_numbers.max()) + 1
                drawn["order_key"] = order_numbers * ORDER_KEY_FACTOR % ORDER_KEYS
                drawn["customer_number"] = first_customer + 1 + drawn.pop("customer_in_part")
                connection.register("drawn", drawn)
                if part == 0:
                    connection.execute("create table parts as select * from drawn")
                else:
                    connection.execute("insert into parts by name select * from drawn")
                connection.unregister("drawn")
            rows = connection.execute(
                WRITE_ORDERS.format(path=str(unfinished).replace("'", "''"))
            ).fetchone()
        unfinished.replace(path)
    return int(rows[0]) if rows else 0


def generate_lines(orders: Path, path: Path, seed: int = SEED, memory_limit: str = "4GB") -> int:
    """Write lines of the orders that can be used to a Parquet file.

    Args:
        orders: the order log.
        path: the file to write; it appears only when it is whole.
        seed: the same orders and seed give the same lines.
        memory_limit: what DuckDB may use; it spills to disk beside the file.

    Returns:
        How many rows were written.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="generating_") as scratch:
        unfinished = Path(scratch) / "lines.parquet"
        with duckdb.connect(Path(scratch) / "lines.duckdb") as connection:
            connection.execute(f"set memory_limit = '{memory_limit}'")
            statement = WRITE_LINES.format(
                orders=str(orders).replace("'", "''"),
                path=str(unfinished).replace("'", "''"),
                seed=seed,
                products=PRODUCTS,
                categories=CATEGORIES,
                most_lines=MOST_LINES,
                favourites=FAVOURITE_CATEGORIES,
                favourite_share=FAVOURITE_CATEGORY_SHARE,
            )
            rows = connection.execute(statement).fetchone()
        unfinished.replace(path)
    return int(rows[0]) if rows else 0


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(
        description="Write a seeded order log as a shop's to a Parquet file."
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--lines", type=Path, help="where lines of the orders go too")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--memory-limit", default="4GB", help="of DuckDB, e.g. 4GB")
    arguments = parser.parse_args()
    rows = generate(arguments.path, arguments.customers, arguments.seed, arguments.memory_limit)
    print(f"{rows:,} rows of {arguments.customers:,} customers in {arguments.path}")
    if arguments.lines:
        lines = generate_lines(
            arguments.path, arguments.lines, arguments.seed, arguments.memory_limit
        )
        print(f"{lines:,} lines in {arguments.lines}")


if __name__ == "__main__":
    main()
