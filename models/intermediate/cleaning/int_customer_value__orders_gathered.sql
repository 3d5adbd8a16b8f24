{{ config(materialized='view') }}

{%- set shared %}
    order_id,
    customer_id as raw_customer_id,
    currency,
    channel,
    store,
    gross_amount,
    discount_amount,
    refund_amount,
    cost_amount,
    ordered_at
{%- endset %}
{%- set only_of_orders = [
    'refunded_order_id', 'status', 'refunded_at', 'updated_at', 'raw_order_id', 'raw_ordered_at', 'raw_amount',
    'raw_discount_amount', 'raw_refund_amount', 'raw_cost_amount', 'raw_refunded_at', 'raw_updated_at',
] %}

-- Orders as they are given, or as their lines make them: one of the two is empty. What lines have
-- no word for is null without a type, so that what orders say of it keeps its own.
with orders as (

    select
        {{ shared }},
        {{ only_of_orders | join(',\n        ') }}
    from {{ ref('stg_customer_value__orders') }}

    union all

    select
        {{ shared }},
        {% for name in only_of_orders -%}
            null as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
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
