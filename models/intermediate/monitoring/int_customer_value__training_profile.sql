{%- set limit = customer_value.monitored_customer_limit() -%}

with training_scoring as (

    select * from {{ ref('training_scoring') }}

),

-- An example stands once for each horizon: its features are counted once.
examples as (

    select distinct
        customer_id,
        as_of_date,
        tenure_days,
        {{ customer_value.monitored_features() | join(',\n        ') }}
    from {{ ref('training_examples') }}

),

horizon as (

    select max(days_to_end) as last_days
    from {{ ref('int_customer_value__periods') }}

),

-- As int_customer_value__customer_curves has it: the chance of an order can't fall with time. What
-- else it bounds changes neither figure.
curves as (

    select
        customer_id,
        as_of_date,
        churn_intercept + greatest(churn_slope, 0) * ln({{ var('churn_window_days') }}) as churn_intercept,
        least(churn_slope, 0) as churn_slope,
        spend_intercept,
        spend_slope,
        purchases_per_day,
        expected_purchase_amount
    from training_scoring

),

predictions as (

    select
        curves.customer_id,
        curves.as_of_date,
        round(1 - {{ customer_value.order_probability(var('churn_window_days')) }}, 9) as churn_probability,
        {{ customer_value.order_probability('horizon.last_days') }}
        * {{ customer_value.purchases_if_any('horizon.last_days') }}
        * curves.expected_purchase_amount as customer_model_net_amount
    from curves
    cross join horizon

),

sizes as (

    select count(distinct customer_id) as customer_count
    from examples

),

points as (

    select
        examples.*,
        predictions.churn_probability,
        predictions.customer_model_net_amount
    from examples
    inner join predictions
        on
            examples.customer_id = predictions.customer_id
            and examples.as_of_date = predictions.as_of_date
    cross join sizes
    where {{ customer_value.hash_fraction("'monitoring:' || examples.customer_id") }} * sizes.customer_count < {{ limit }}

),

{{ customer_value.distribution_profile('points', customer_value.monitored_features() + customer_value.monitored_scores()) }}

select * from distribution_profile
