{{ config(materialized='view') }}

{%- set double = customer_value.type_double() %}

with purchase_rhythms as (

    select * from {{ ref('int_customer_value__purchase_rhythms') }}

),

prospects as (

    select * from {{ ref('int_customer_value__prospects') }}

),

rules as (

    select * from {{ ref('lifecycle_stages') }}

),

dates as (

    select
        lifecycle_dates.*,
        shop_rhythms.shop_days_between_orders
    from {{ ref('int_customer_value__lifecycle_dates') }} as lifecycle_dates
    inner join {{ ref('int_customer_value__shop_rhythms') }} as shop_rhythms on lifecycle_dates.as_of_date = shop_rhythms.as_of_date

),

-- On each date the last purchase before it says all, and how long ago it was.
customers_then as (

    select
        purchase_rhythms.customer_id,
        dates.as_of_date,
        dates.movement_month,
        dates.is_whole_month,
        dates.is_current,
        purchase_rhythms.order_date as last_order_date,
        purchase_rhythms.purchase_day_count,
        {{ customer_value.datediff('purchase_rhythms.order_date', 'dates.as_of_date', 'day') }} as recency_days,
        {{ customer_value.rhythm('purchase_rhythms.gap_count', 'purchase_rhythms.total_gap_days', 'dates.shop_days_between_orders') }}
            as expected_days_between_orders,
        purchase_rhythms.return_rhythms,
        purchase_rhythms.pace_ratio
    from purchase_rhythms
    inner join dates
        on
            purchase_rhythms.order_date < dates.as_of_date
            and purchase_rhythms.next_order_date >= dates.as_of_date

),

-- Since when a prospect is known may not be: then it is one today, and no movement.
prospects_then as (

    select
        prospects.customer_id,
        dates.as_of_date,
        dates.movement_month,
        dates.is_whole_month,
        dates.is_current,
        prospects.known_date
    from prospects
    inner join dates
        on
            prospects.first_order_date >= dates.as_of_date
            and (prospects.known_date < dates.as_of_date or (prospects.known_date is null and dates.is_current))

),

states as (

    select
        *,
        recency_days / expected_days_between_orders as silence_rhythms,
        cast(null as date) as known_date
    from customers_then

    union all

    select
        customer_id,
        as_of_date,
        movement_month,
        is_whole_month,
        is_current,
        cast(null as date) as last_order_date,
        0 as purchase_day_count,
        cast(null as {{ dbt.type_int() }}) as recency_days,
        cast(null as {{ double }}) as expected_days_between_orders,
        0 as return_rhythms,
        1 as pace_ratio,
        0 as silence_rhythms,
        known_date
    from prospects_then

)

select
    states.customer_id,
    states.as_of_date,
    states.movement_month,
    states.is_whole_month,
    states.is_current,
    rules.lifecycle_stage,
    rules.silence_rhythms_from,
    rules.reason_text,
    states.known_date,
    states.last_order_date,
    states.purchase_day_count,
    states.recency_days,
    states.expected_days_between_orders,
    states.silence_rhythms,
    states.return_rhythms,
    states.pace_ratio
from states
left join rules
    on {{ customer_value.lifecycle_rule_holds('states', 'rules') }}
