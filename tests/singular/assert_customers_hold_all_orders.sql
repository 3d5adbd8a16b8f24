-- Counts and money of all customers together are those of all orders.
with orders as (

    select
        count(*) as order_count,
        coalesce(sum(net_amount), 0) as net_amount,
        coalesce(sum(margin_amount), 0) as margin_amount,
        coalesce(sum(case when is_first_order then 1 else 0 end), 0) as customer_count
    from {{ ref('orders_cleaned') }}

),

customers as (

    select
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(net_amount), 0) as net_amount,
        coalesce(sum(margin_amount), 0) as margin_amount,
        count(*) as customer_count
    from {{ ref('customer_value', 'customers') }}

)

select orders.*
from orders
cross join customers
where
    orders.order_count <> customers.order_count
    or orders.net_amount <> customers.net_amount
    or orders.margin_amount <> customers.margin_amount
    or orders.customer_count <> customers.customer_count
