"""The peers: each fitted anew on what is known at the end of calibration."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from accuracy.trials import PROJECT

PYTHON = PROJECT / "build" / "peers" / "bin" / "python"
MODELS = Path(__file__).with_name("peer_models.py")
VALUES = ["churn_probability", "order_count", "net_amount"]


def predictions(
    histories: pd.DataFrame, horizon_days: int
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Predictions by model name, and why other models gave none.

    Args:
        histories: as trials.histories gives them.
        horizon_days: the length of the holdout.
    """
    with tempfile.TemporaryDirectory() as temporary:
        source, target = Path(temporary) / "histories.csv", Path(temporary) / "predictions.csv"
        histories.to_csv(source, index=False)
        subprocess.run(
            [str(PYTHON), str(MODELS), str(source), str(horizon_days / 7), str(target)], check=True
        )
        frame = pd.read_csv(target, dtype={"customer_id": str})
    predicted, failures = {}, {}
    for name, rows in frame.groupby("model", sort=False):
        if rows["customer_id"].isna().any():
            failures[str(name)] = str(rows["failure"].iloc[0])
        elif (unusable := int((~np.isfinite(rows[VALUES]).all(axis=1)).sum())) > 0:
            failures[str(name)] = f"no number for {unusable:,} customers"
        else:
            predicted[str(name)] = rows[["customer_id", *VALUES]]
    return predicted, failures
