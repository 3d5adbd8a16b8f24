"""What holds of every build, whatever the orders were."""

from __future__ import annotations

from conftest import Warehouse


def assert_sensible(warehouse: Warehouse) -> None:
    """Figures are finite, ordered and in their ranges, and tables hold the same customers."""
    not_finite = warehouse.rows(
        """
        select customer_id from customer_value_by_period
        where not (isfinite(expected_order_count) and isfinite(discount_factor))
        union all
        select customer_id from customer_cltv where not isfinite(predicted_order_count)
        union all
        select customer_id from customer_churn
        where churn_probability is null or not churn_probability between 0 and 1
        union all
        select customer_id from customer_cltv
        where
            predicted_value is null
            or not predicted_value_lower <= predicted_value
            or not predicted_value <= predicted_value_upper
            or total_value <> historic_value + predicted_value
        """
    )
    assert not_finite == []

    customer_count = warehouse.value("select count(*) from customers")
    for table in ("customer_rfm", "customer_churn", "customer_cltv", "customer_tiers"):
        counted = warehouse.rows(f"select count(*), count(distinct customer_id) from {table}")
        assert counted == [(customer_count, customer_count)], table
    assert warehouse.value("select count(*) from customers where lifecycle_stage is null") == 0
    assert warehouse.value("select count(*) from customer_rfm where rfm_segment is null") == 0

    terms_that_do_not_add_up = warehouse.rows(
        """
        select customer_id
        from customer_value_by_period
        inner join customer_cltv using (customer_id)
        group by customer_id, predicted_value
        having sum(discounted_value) <> predicted_value
        """
    )
    assert terms_that_do_not_add_up == []

    cohorts = "select coalesce(sum(cohort_size), 0) from cohort_retention where month_number = 0"
    assert warehouse.value(cohorts) == customer_count
    net_amounts = {
        warehouse.value(f"select coalesce(sum(net_amount), 0) from {table}")
        for table in ("orders_cleaned", "customers", "customer_rfm", "cohort_retention")
    }
    assert len(net_amounts) == 1
