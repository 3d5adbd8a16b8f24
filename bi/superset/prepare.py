"""Give a Superset its tables, its one user and the dashboard. Started by serve.py.

Reads the environment: CUSTOMER_VALUE_SUPERSET_METADATA (the SQLite file, made here),
CUSTOMER_VALUE_SUPERSET_EMPTY (one that was made before, or to make), CUSTOMER_VALUE_SUPERSET_USER
and _PASSWORD, CUSTOMER_VALUE_WAREHOUSE.
"""

import os
import shutil
from pathlib import Path

import yaml
from flask import g
from superset.app import create_app

BUNDLE = Path(__file__).resolve().with_name("customer_value")


def main() -> None:
    """Make the metadata of a Superset that has the dashboard and nothing else."""
    metadata = Path(os.environ["CUSTOMER_VALUE_SUPERSET_METADATA"])
    empty = Path(os.environ["CUSTOMER_VALUE_SUPERSET_EMPTY"])
    # Creating the tables runs through every version that Superset ever had. Once is enough.
    if empty.exists():
        shutil.copy(empty, metadata)
    application = create_app()
    with application.app_context():
        # Superset looks for its application when these are imported.
        from flask_migrate import upgrade  # noqa: PLC0415
        from superset import appbuilder, security_manager  # noqa: PLC0415

        if not empty.exists():
            upgrade(directory=str(Path(create_app.__code__.co_filename).parent / "migrations"))
            appbuilder.add_permissions(update_perms=True)
            security_manager.sync_role_definitions()
            half = empty.with_suffix(".half")
            shutil.copy(metadata, half)
            half.replace(empty)
        user = security_manager.add_user(
            username=os.environ["CUSTOMER_VALUE_SUPERSET_USER"],
            password=os.environ["CUSTOMER_VALUE_SUPERSET_PASSWORD"],
            first_name="Customer",
            last_name="Value",
            email="analytics@localhost",
            role=security_manager.find_role("Admin"),
        )
        g.user = user
        _import(contents())


def contents() -> dict[str, str]:
    """The files of the bundle by name, the database being the one that is to be read."""
    files = {str(path.relative_to(BUNDLE)): path.read_text() for path in BUNDLE.rglob("*.yaml")}
    name = "databases/customer_value.yaml"
    database = yaml.safe_load(files[name])
    database["sqlalchemy_uri"] = "duckdb:///" + os.environ["CUSTOMER_VALUE_WAREHOUSE"]
    return files | {name: yaml.safe_dump(database)}


def _import(files: dict[str, str]) -> None:
    from superset.commands.dashboard.importers.v1 import ImportDashboardsCommand  # noqa: PLC0415

    ImportDashboardsCommand(files, overwrite=True).run()


if __name__ == "__main__":
    main()
