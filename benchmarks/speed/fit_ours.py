"""Our BG/NBD, fitted in a process of its own: python -m speed.fit_ours HISTORIES.

HISTORIES is a CSV file of one row per customer: frequency (order days after the first), recency
and age (weeks from the first order to the last one, and to the end of observation). What is timed
is the fit alone, from such columns to parameters. Printed are seconds and parameters, as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import pandas as pd

from customer_value.btyd import BgNbd


def main() -> None:
    """Fit, and print."""
    histories = pd.read_csv(sys.argv[1])
    columns = [histories[name].to_numpy() for name in ("frequency", "recency", "age")]
    started = time.perf_counter()
    model = BgNbd.fit(*columns)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "parameters": dict(model.parameters)}))


if __name__ == "__main__":
    main()
