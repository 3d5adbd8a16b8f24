{{ config(materialized='view') }}

{%- set shared %}
    order_id,
    customer_id as raw_customer_id,
    currency,
    channel,
    store,
    gross_amount,
    refund_amount,
    cost_amount,
    ordered_at
{%- endset %}

-- Orders as they are given, or as their lines make them: one of the two is empty. What lines have
-- no word for is null without a type, so that what orders say of it keeps its own.
with orders as (

    select
        {{ shared }},
        status,
        discount_amount,
        updated_at,
        raw_ordered_at,
        raw_amount,
        raw_discount_amount,
        raw_refund_amount,
        raw_cost_amount,
        raw_updated_at
    from {{ ref('stg_customer_value__orders') }}

    union all

    select
        {{ shared }},
        null as status,
        null as discount_amount,
        null as updated_at,
        null as raw_ordered_at,
        null as raw_amount,
        null as raw_discount_amount,
        null as raw_refund_amount,
        null as raw_cost_amount,
        null as raw_updated_at
    from {{ ref('int_customer_value__orders_from_lines') }}

),

identities as (

    select * from {{ ref('int_customer_value__identities_merged') }}

)

select
    orders.*,
    coalesce(identities.canonical_customer_id, orders.raw_customer_id) as customer_id
from orders
left join identities on orders.raw_customer_id = identities.customer_id
