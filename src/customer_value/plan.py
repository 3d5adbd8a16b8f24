"""The best plan for a budget: the multiple-choice knapsack problem, solved exactly.

At most one action for each customer, the sum of their costs within the budget, the sum of their
gains as large as can be (Kellerer, Pferschy and Pisinger, Knapsack Problems, 2004, chapter 11).
HiGHS solves it by branch and bound, through scipy. The plan of many customers is greedy, in SQL.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from customer_value.spark_frames import on_driver

# Branch and bound ends by itself long before, but for made-up costs that are all but alike. Nodes
# and not seconds, so that the plan does not depend on the machine.
MOST_NODES = 2000
COLUMNS = {"customer_id": "string", "action": "string"}


@on_driver
def solve(problem: Relation) -> pd.DataFrame:
    """The action of each customer in the plan that gains most.

    Args:
        problem: one row per customer and action that gains anything: customer_id, action,
            cost_amount and net_gain in currency, and budget_amount, the same in every row.

    Returns:
        One row per customer of the problem: customer_id, and the action, or null for none. No row
        where the problem has none, or where no plan could be proven to be the best.
    """
    options = problem.order("customer_id, action").df()
    nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    if options.empty:
        return nothing
    cents = _cents(options["cost_amount"])
    budget = int(_cents(options["budget_amount"])[0])
    numbers, customers = pd.factorize(options["customer_id"])
    count = len(options)
    one_each = sparse.csr_array(
        (np.ones(count), (numbers, np.arange(count))), shape=(len(customers), count)
    )
    found = milp(
        -options["net_gain"].to_numpy(float),
        constraints=[
            LinearConstraint(one_each, -np.inf, 1),
            LinearConstraint(cents.astype(float)[np.newaxis, :] / 100, -np.inf, budget / 100),
        ],
        integrality=np.ones(count),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0, "node_limit": MOST_NODES},
    )
    if found.status != 0:
        return nothing
    # What the solver holds to a tolerance is held exactly here.
    is_taken = found.x > 0.5
    if cents[is_taken].sum() > budget or np.bincount(numbers[is_taken], minlength=1).max() > 1:
        return nothing
    taken = options[is_taken].set_index("customer_id")["action"]
    plan = pd.DataFrame({"customer_id": customers, "action": taken.reindex(customers).to_numpy()})
    return plan.astype(COLUMNS)


def _cents(amounts: pd.Series[float]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.rint(amounts.to_numpy(float) * 100).astype(np.int64)
