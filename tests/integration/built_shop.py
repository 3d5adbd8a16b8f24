"""A shop for the tools that read tables: the published sample of CDNOW, refreshed three times."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
DBT = Path(sys.executable).with_name("dbt")

# What dbt reads of the package; the library stands beside it for the profile's plugin.
OF_THE_PROJECT = (
    "dbt_project.yml",
    "models",
    "python_models",
    "macros",
    "seeds",
    "profiles",
    "src",
)
TESTS_OF_THE_PROJECT = ("generic", "singular")
# The last of them is the refresh that is published while others read.
REFRESHES = ("1998-05-01", "1998-06-01", "1998-07-01")


@dataclass(frozen=True)
class Shop:
    """A copy of the project, and its warehouse before and after the latest refresh."""

    project: Path
    before: Path
    after: Path

    @property
    def environment(self) -> dict[str, str]:
        """What dbt and MetricFlow need to know; the warehouse is that after the refresh."""
        return _environment(self.after)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What SQL by hand says of the warehouse after the refresh."""
        with duckdb.connect(str(self.after), read_only=True) as connection:
            connection.execute("use customer_value.customer_value")
            return connection.sql(sql).fetchall()


def in_folder(folder: Path) -> Shop:
    """The shop that stands in a folder, or will."""
    # Named as the file that is published: DuckDB calls a database after its file.
    return Shop(
        folder / "customer value",
        before=folder / "before" / "customer_value.duckdb",
        after=folder / "after" / "customer_value.duckdb",
    )


def built(folder: Path) -> Shop:
    """Build the shop into a folder."""
    shop = in_folder(folder)
    project = shop.project
    project.mkdir(parents=True)
    for name in OF_THE_PROJECT:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, project / name)
    for name in TESTS_OF_THE_PROJECT:
        shutil.copytree(REPOSITORY / "tests" / name, project / "tests" / name)
    for warehouse in (shop.before, shop.after):
        warehouse.parent.mkdir()
    orders = folder / "orders.parquet"
    duckdb.sql(
        f"""
        copy (
            select order_id, customer_id, ordered_at, amount
            from '{REPOSITORY / "seeds/demo/demo_orders.csv"}'
            where in_published_sample = 1
            -- CDNOW has no customer who is new in the last month; a shop has.
            union all
            select 'newcomer-1', 'newcomer', date '1998-06-15', 25.00
        )
        to '{orders}'
        """
    )
    for as_of_date in REFRESHES[:-1]:
        _refresh(project, shop.before, orders, as_of_date)
    shutil.copy(shop.before, shop.after)
    _refresh(project, shop.after, orders, REFRESHES[-1])
    return shop


def _refresh(project: Path, warehouse: Path, orders: Path, as_of_date: str) -> None:
    variables = (
        f"{{inputs: {{orders: {{path: '{orders}'}}}}, as_of_date: {as_of_date}, "
        f"run_id: refresh of {as_of_date}}}"
    )
    finished = subprocess.run(
        [
            *(str(DBT), "--quiet", "build", "--profiles-dir", "profiles", "--vars", variables),
            *("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"),
        ],
        cwd=project,
        env=_environment(warehouse),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-2000:]


def _environment(warehouse: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"CUSTOMER_VALUE_WAREHOUSE": str(warehouse), "DBT_PROFILES_DIR": "profiles"}
