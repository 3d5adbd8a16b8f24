"""Writes shop_orders.csv: 600 orders of a small shop as its till exports them, mess included.

The same on every run: `python seeds/make_shop_orders.py`, from the project's folder.
"""

import csv
import datetime as dt
import random
from pathlib import Path

ORDERS, CLIENTS = 600, 140
FIRST_DAY, DAYS = dt.date(2023, 1, 2), 540
HEADER = (
    "order_number",
    "client",
    "placed_at",
    "total",
    "coupon_cents",
    "refunded_cents",
    "state",
    "changed_at",
)
# The mess, by the row that it befalls: a column and what stands there instead.
SPOILT = {
    17: ("client", ""),
    44: ("client", "   "),
    61: ("placed_at", "soon"),
    90: ("placed_at", ""),
    120: ("total", "n/a"),
    151: ("total", ""),
    180: ("order_number", ""),
    222: ("placed_at", "2204-05-01 10:00:00"),
    260: ("changed_at", "never"),
}
# Rows that come a second time: as they are, or as a later version with another total.
REPEATED, REVISED = (33, 34, 35, 300), (71, 72, 410)


def main() -> None:
    """Write the file beside this script."""
    draw = random.Random(20230102)
    # A few clients order often, most of them seldom.
    weights = [draw.paretovariate(1.2) for _ in range(CLIENTS)]
    arrivals = [draw.random() ** 1.5 for _ in range(CLIENTS)]
    rows = []
    for number in range(ORDERS):
        client = draw.choices(range(CLIENTS), weights)[0]
        position = arrivals[client] + (1 - arrivals[client]) * draw.random()
        placed_at = dt.datetime.combine(FIRST_DAY, dt.time()) + dt.timedelta(
            days=int(position * DAYS), minutes=draw.randrange(8 * 60, 22 * 60)
        )
        cents = round(100 * draw.lognormvariate(3.2 + 0.4 * (client % 5) / 4, 0.6))
        name = "Client" if draw.random() < 0.1 else "client"
        is_returned = draw.random() < 0.04
        rows.append(
            {
                "order_number": f"SH-{10000 + number}",
                "client": f"{name}-{client:03}@example.com",
                "placed_at": placed_at.isoformat(sep=" "),
                # The till writes decimal commas.
                "total": f"{cents // 100},{cents % 100:02}",
                "coupon_cents": 500 if draw.random() < 0.08 else "",
                "refunded_cents": cents if is_returned else "",
                "state": "returned" if is_returned else "paid",
                "changed_at": (placed_at + dt.timedelta(days=2)).isoformat(sep=" "),
            }
        )
    for number, (column, value) in SPOILT.items():
        rows[number][column] = value
    rows += [dict(rows[number]) for number in REPEATED]
    rows += [
        rows[number] | {"total": "9,99", "changed_at": "2024-07-01 09:00:00"} for number in REVISED
    ]
    with Path(__file__).with_name("shop_orders.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
