{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        pre_hook="{{ customer_value.prune_prediction_history(this) }}"
    )
}}

-- depends_on: {{ ref('int_customer_value__customers_left_out') }}
with run as (

    select * from {{ ref('int_customer_value__run') }}

),

customer_churn as (

    select * from {{ ref('customer_churn') }}

),

customer_curves as (

    select * from {{ ref('int_customer_value__customer_curves') }}

),

customer_cltv as (

    select * from {{ ref('customer_cltv') }}

),

tiers_assigned as (

    select * from {{ ref('int_customer_value__tiers_assigned') }}

),

value_intervals as (

    select * from {{ ref('int_customer_value__value_intervals') }}

),

-- Neither discounted nor a margin, so that it can be held against what customers then paid.
periods as (

    select
        customer_id,
        sum(expected_net_amount) as predicted_net_amount,
        max(period_end) as horizon_end_date
    from {{ ref('customer_value_by_period') }}
    group by customer_id

)

select
    customer_churn.customer_id,
    customer_churn.as_of_date,
    customer_churn.churn_probability,
    customer_churn.churn_window_days,
    cast(periods.predicted_net_amount as {{ customer_value.type_expectation() }}) as predicted_net_amount,
    {% for end, bound in [('lower', 'least'), ('upper', 'greatest')] -%}
        cast(
            {{ bound }}(1, value_intervals.{{ end }}_ratio) * cast(periods.predicted_net_amount as {{ customer_value.type_double() }})
            as {{ customer_value.type_expectation() }}
        ) as predicted_net_amount_{{ end }},
    {% endfor -%}
    tiers_assigned.tier,
    customer_cltv.predicted_value,
    periods.horizon_end_date,
    customer_curves.model_version,
    run.run_id
from customer_churn
inner join customer_curves on customer_churn.customer_id = customer_curves.customer_id
inner join periods on customer_churn.customer_id = periods.customer_id
inner join customer_cltv on customer_churn.customer_id = customer_cltv.customer_id
inner join tiers_assigned on customer_churn.customer_id = tiers_assigned.customer_id
inner join value_intervals
    on
        customer_curves.order_probability_in_horizon >= value_intervals.order_probability_from
        and customer_curves.order_probability_in_horizon < value_intervals.order_probability_to
cross join run
