"""Pictures of a refresh as PNG files: cohort heat map, tiers, and the value at risk of churn.

Each title says what the data say. The same database gives the same bytes, given the same
Matplotlib, which importing this package needs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
from matplotlib import style
from matplotlib.figure import Figure

from customer_value.errors import SentenceError
from customer_value.report import reading
from customer_value.report.charts import canvas, cohort_heatmap, tiers, value_at_risk

CHARTS: dict[str, Callable[[duckdb.DuckDBPyConnection], Figure]] = {
    "cohort_heatmap.png": cohort_heatmap.draw,
    "tiers.png": tiers.draw,
    "value_at_risk.png": value_at_risk.draw,
}


def write(database: Path, folder: Path, schema: str = reading.SCHEMA) -> list[Path]:
    """Draw every chart from a built database into a folder, which is made if need be.

    Args:
        database: the DuckDB file that ``dbt build`` wrote; it is not changed.
        folder: where cohort_heatmap.png, tiers.png and value_at_risk.png go; older ones are
            replaced.
        schema: the schema of the tables for BI.

    Returns:
        The paths of the charts.

    Raises:
        SentenceError: the database can't be read, or the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # After a reset, so that a reader's own Matplotlib settings don't change the pictures.
        connected = reading.connected(database, schema)
        with connected as connection, style.context(["default", canvas.STYLE]):
            return [_saved(draw(connection), folder / name) for name, draw in CHARTS.items()]
    except OSError as error:
        raise SentenceError(
            f"Charts can't be written to {folder} ({error.strerror or error}). "
            "Name a folder that can be written with --charts."
        ) from error


def _saved(figure: Figure, path: Path) -> Path:
    # Without the name and version of the software, which would change the bytes.
    figure.savefig(path, metadata={"Software": None})
    return path
