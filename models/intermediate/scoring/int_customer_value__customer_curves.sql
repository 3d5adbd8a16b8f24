with churn_scoring as (

    select * from {{ ref('churn_scoring') }}

),

spend_scoring as (

    select * from {{ ref('spend_scoring') }}

),

horizon as (

    select
        min(days_to_end) as first_days,
        max(days_to_end) as last_days
    from {{ ref('int_customer_value__periods') }}

),

-- The chance of an order can't fall with time: a slope the wrong way is levelled at the
-- churn window, where the probability is shown.
churn_curves as (

    select
        customer_id,
        as_of_date,
        model_version as churn_model_version,
        churn_intercept + greatest(churn_slope, 0) * ln({{ var('churn_window_days') }}) as churn_intercept,
        least(churn_slope, 0) as churn_slope
    from churn_scoring

),

joined as (

    select
        churn_curves.*,
        churn_curves.churn_model_version || '+' || spend_scoring.model_version as model_version,
        spend_scoring.spend_intercept,
        spend_scoring.spend_slope,
        spend_scoring.purchases_per_day,
        spend_scoring.expected_purchase_amount,
        spend_scoring.orders_per_purchase_day,
        horizon.last_days,
        {{ customer_value.order_probability('horizon.last_days') }} as order_probability_in_horizon,
        horizon.first_days * spend_scoring.purchases_per_day
        / (1 + horizon.first_days * spend_scoring.purchases_per_day) as first_baseline_elasticity
    from churn_curves
    inner join spend_scoring on churn_curves.customer_id = spend_scoring.customer_id
    cross join horizon

),

-- Nor can the expected spend. Its elasticity in time, the sum of the order probability's, the
-- baseline's and the slope of the ratio to it, is at least this sum with the slope replaced.
bounded as (

    select
        *,
        greatest(
            spend_slope,
            churn_slope * (1 - order_probability_in_horizon) - first_baseline_elasticity
        ) as bounded_spend_slope
    from joined

)

-- Where the bound binds, the curve is turned about its end, so that the horizon's total stays.
select
    customer_id,
    as_of_date,
    model_version,
    churn_intercept,
    churn_slope,
    spend_intercept + (spend_slope - bounded_spend_slope) * ln(last_days) as spend_intercept,
    bounded_spend_slope as spend_slope,
    purchases_per_day,
    expected_purchase_amount,
    orders_per_purchase_day,
    order_probability_in_horizon
from bounded
