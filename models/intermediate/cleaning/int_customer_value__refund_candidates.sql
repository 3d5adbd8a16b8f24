{#- In the currency of its refunds, which nobody has converted yet. -#}
{%- set columns %}
    orders_kept.order_id,
    orders_kept.customer_id,
    orders_kept.ordered_at,
    orders_kept.{{ 'original_gross_amount' if var('reporting_currency') else 'gross_amount' }} as gross_amount,
    orders_kept.{{ 'original_discount_amount' if var('reporting_currency') else 'discount_amount' }} as discount_amount,
    orders_kept.exchange_rate,
    upper(trim(coalesce(orders_kept.original_currency, orders_kept.currency))) as currency
{%- endset %}

-- Written down, since each refund is looked up here several times, and they are found among all
-- orders. Without refunds no order is looked at.
with claims as (

    select * from {{ ref('int_customer_value__refund_claims') }}
    where first_reject_reason is null

),

named_orders as (

    select distinct coalesce(refunded_order_id, order_id) as order_id
    from claims

),

customers_to_search as (

    select distinct customer_id
    from claims
    where refunded_order_id is null and customer_id is not null

)

select {{ columns }}
from {{ ref('int_customer_value__orders_kept') }} as orders_kept
inner join named_orders on orders_kept.order_id = named_orders.order_id

union distinct

select {{ columns }}
from {{ ref('int_customer_value__orders_kept') }} as orders_kept
inner join customers_to_search on orders_kept.customer_id = customers_to_search.customer_id
