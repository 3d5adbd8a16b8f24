{{ config(materialized='view') }}

with orders as (

    select * from {{ ref('int_customer_value__orders_gathered') }}

),

order_statuses as (

    select * from {{ ref('order_statuses') }}

),

excluded_customers as (

    select distinct customer_id from {{ ref('stg_customer_value__excluded_customers') }}

),

looked_up as (

    select
        orders.*,
        order_statuses.order_status,
        excluded_customers.customer_id is not null as is_excluded_customer
    from orders
    left join order_statuses on lower(trim(orders.status)) = order_statuses.status
    left join excluded_customers on orders.customer_id = excluded_customers.customer_id

)

select
    *,
    -- The first reason that applies; a row with none is usable by itself, and only a second
    -- version of the same order can still push it out.
    case
        when order_id is null or {{ customer_value.is_blank('order_id') }} then 'missing_order_id'
        when customer_id is null or {{ customer_value.is_blank('customer_id') }} then 'missing_customer_id'
        when {{ customer_value.is_unreadable('ordered_at', 'raw_ordered_at') }} then 'unparseable_ordered_at'
        when ordered_at is null then 'missing_ordered_at'
        when ordered_at < timestamp '1900-01-01' or ordered_at >= timestamp '2200-01-01' then 'implausible_ordered_at'
        when {{ customer_value.is_unreadable('gross_amount', 'raw_amount') }}
            then {{ customer_value.amount_reject_reason('raw_amount') }}
        when gross_amount is null then 'missing_amount'
        -- A thousand of them still add up within the type that sums have.
        when abs(gross_amount) >= 1e13 then 'amount_out_of_range'
        {% for name in ['discount_amount', 'refund_amount', 'cost_amount', 'updated_at'] -%}
            when {{ customer_value.is_unreadable(name, 'raw_' ~ name) }} then 'unparseable_{{ name }}'
        {% endfor -%}
        when ordered_at >= {{ customer_value.as_of_date_limit() }} then 'after_as_of_date'
    end as reject_reason,
    -- What is no order although it can be read. It is asked of the latest version alone: one that
    -- was cancelled in the end must not live on in an earlier version.
    case
        when order_status = 'cancelled' then 'cancelled_order'
        when order_status = 'test' then 'test_order'
        when is_excluded_customer then 'excluded_customer'
    end as exclusion_reason
from looked_up
