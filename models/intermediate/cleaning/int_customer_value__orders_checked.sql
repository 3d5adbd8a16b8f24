{{ config(materialized='view') }}

with orders as (

    select * from {{ ref('stg_customer_value__orders') }}

)

select
    *,
    -- The first reason that applies; a row with none is usable by itself, and only a second
    -- version of the same order can still push it out.
    case
        when order_id is null or trim(order_id) = '' then 'missing_order_id'
        when customer_id is null or trim(customer_id) = '' then 'missing_customer_id'
        when raw_ordered_at is null or trim(raw_ordered_at) = '' then 'missing_ordered_at'
        when ordered_at is null then 'unparseable_ordered_at'
        when ordered_at < timestamp '1900-01-01' or ordered_at >= timestamp '2200-01-01' then 'implausible_ordered_at'
        when raw_amount is null or trim(raw_amount) = '' then 'missing_amount'
        when gross_amount is null then {{ customer_value.amount_reject_reason('raw_amount') }}
        when raw_discount_amount is not null and discount_amount is null then 'unparseable_discount_amount'
        when raw_refund_amount is not null and refund_amount is null then 'unparseable_refund_amount'
        when raw_cost_amount is not null and cost_amount is null then 'unparseable_cost_amount'
        when raw_updated_at is not null and updated_at is null then 'unparseable_updated_at'
        when ordered_at >= {{ customer_value.as_of_date_limit() }} then 'after_as_of_date'
    end as reject_reason
from orders
