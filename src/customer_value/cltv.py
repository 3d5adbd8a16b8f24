"""What customers are worth on average, from averages alone: for scenarios."""

from __future__ import annotations

import math


def aggregate_clv(
    revenue_per_period: float,
    retention_rate: float,
    service_cost_per_period: float,
    discount_rate: float,
    horizon: int | None = None,
) -> float:
    """The discounted margin that a customer brings until leaving, or until the horizon.

    The sum over t = 1 .. horizon of
    ``(revenue - service cost) * (retention / (1 + discount)) ** t``: each period's margin comes at
    its end, from who is still there. Without a horizon that is ``margin * r / (1 + d - r)``, the
    margin multiple of Gupta and Lehmann, "Customers as Assets" (2003). The macro
    customer_value.aggregate_clv is the same in SQL.

    >>> round(aggregate_clv(100, 0.8, 0, 0.12), 2)
    250.0
    >>> round(aggregate_clv(100, 0.8, 0, 0.12, horizon=3), 2)
    158.89

    Args:
        revenue_per_period: of a customer who is there, in currency.
        retention_rate: share of customers who stay from one period to the next, 0 to 1.
        service_cost_per_period: what serving one costs, in currency; more than the revenue makes
            the sum negative.
        discount_rate: per period, 0 or more: 0.1 is 10%.
        horizon: periods looked ahead, 0 or more; None: for ever.

    Returns:
        Currency per customer who is there at the start.

    Raises:
        ValueError: a rate or the horizon can't be meant, or the sum has no end.
    """
    if not 0 <= retention_rate <= 1:
        raise ValueError(f"retention_rate is {retention_rate}; it takes a share from 0 to 1.")
    if not (discount_rate >= 0 and math.isfinite(discount_rate)):
        raise ValueError(f"discount_rate is {discount_rate}; it takes 0 or more per period.")
    if horizon is not None and (horizon < 0 or horizon != math.floor(horizon)):
        raise ValueError(f"horizon is {horizon}; it takes a whole number of periods, or None.")
    margin = revenue_per_period - service_cost_per_period
    # Nobody leaves and nothing is discounted: every period is worth the same.
    if retention_rate == 1 and discount_rate == 0:
        if horizon is None:
            raise ValueError(
                "With retention_rate 1 and discount_rate 0 the sum has no end; give a horizon."
            )
        return margin * horizon
    forever = margin * retention_rate / (1 + discount_rate - retention_rate)
    if horizon is None:
        return forever
    return forever * float(1 - (retention_rate / (1 + discount_rate)) ** horizon)
