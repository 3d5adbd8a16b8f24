-- Months hold every order and every refund; seen over all of them, cash is revenue.
with months as (

    select
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(net_amount), 0) as net_amount,
        coalesce(sum(cash_amount), 0) as cash_amount
    from {{ ref('revenue_months') }}

),

orders as (

    select
        count(*) as order_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('orders_cleaned') }}

)

select months.*
from months
cross join orders
where
    months.order_count <> orders.order_count
    or months.net_amount <> orders.net_amount
    or months.cash_amount <> orders.net_amount
