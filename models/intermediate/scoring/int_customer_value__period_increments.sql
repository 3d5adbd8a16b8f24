{{ config(materialized='view') }}

with customer_curves as (

    select * from {{ ref('int_customer_value__customer_curves') }}

),

periods as (

    select * from {{ ref('int_customer_value__periods') }}

),

-- The horizon model at both ends of each period: no period has to look at another.
at_both_ends as (

    select
        customer_curves.customer_id,
        customer_curves.as_of_date,
        customer_curves.model_version,
        periods.period_number,
        customer_curves.expected_purchase_amount,
        customer_curves.orders_per_purchase_day,
        {{ customer_value.order_probability('periods.days_to_start') }} as order_probability_at_start,
        {{ customer_value.order_probability('periods.days_to_end') }} as order_probability_at_end,
        {{ customer_value.purchases_if_any('periods.days_to_start') }} as purchases_if_any_at_start,
        {{ customer_value.purchases_if_any('periods.days_to_end') }} as purchases_if_any_at_end
    from customer_curves
    cross join periods

)

select
    customer_id,
    period_number,
    as_of_date,
    model_version,
    order_probability_at_end as cumulative_order_probability,
    -- At least one order where there is any.
    greatest(
        0,
        order_probability_at_end * greatest(1, purchases_if_any_at_end)
        - order_probability_at_start * greatest(1, purchases_if_any_at_start)
    ) * orders_per_purchase_day as expected_order_count,
    greatest(
        0,
        order_probability_at_end * purchases_if_any_at_end
        - order_probability_at_start * purchases_if_any_at_start
    ) * expected_purchase_amount as expected_net_amount
from at_both_ends
