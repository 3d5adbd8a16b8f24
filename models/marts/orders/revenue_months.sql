-- depends_on: {{ ref('int_customer_value__run') }}
-- which says so in words where sums would have too many digits.
with orders as (

    select
        cast(date_trunc('month', order_date) as date) as revenue_month,
        count(*) as order_count,
        count(distinct customer_id) as customer_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(refund_amount) as refund_amount,
        sum(net_amount) as net_amount
    from {{ ref('orders_cleaned') }}
    group by date_trunc('month', order_date)

),

refunds as (

    select
        cast(date_trunc('month', refund_date) as date) as revenue_month,
        sum(refund_amount) as paid_back_amount
    from {{ ref('order_refunds') }}
    group by date_trunc('month', refund_date)

)

select
    coalesce(orders.revenue_month, refunds.revenue_month) as revenue_month,
    cast(coalesce(orders.order_count, 0) as {{ dbt.type_bigint() }}) as order_count,
    cast(coalesce(orders.customer_count, 0) as {{ dbt.type_bigint() }}) as active_customer_count,
    {% for name in ['gross_amount', 'discount_amount', 'refund_amount', 'net_amount'] -%}
        cast(coalesce(orders.{{ name }}, 0) as {{ customer_value.type_amount() }}) as {{ name }},
    {% endfor -%}
    cast(coalesce(refunds.paid_back_amount, 0) as {{ customer_value.type_amount() }}) as paid_back_amount,
    cast(
        coalesce(orders.gross_amount - orders.discount_amount, 0) - coalesce(refunds.paid_back_amount, 0)
        as {{ customer_value.type_amount() }}
    ) as cash_amount,
    {{ customer_value.run_id() }} as run_id
from orders
full outer join refunds on orders.revenue_month = refunds.revenue_month
