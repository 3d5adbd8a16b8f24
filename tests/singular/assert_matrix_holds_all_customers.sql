-- Every customer is in one cell of the matrix, with every order and all money.
with matrix as (

    select
        coalesce(sum(customer_count), 0) as customer_count,
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('frequency_monetary_matrix') }}

),

customers as (

    select
        count(*) as customer_count,
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('customer_value', 'customers') }}

)

select matrix.*
from matrix
cross join customers
where
    matrix.customer_count <> customers.customer_count
    or matrix.order_count <> customers.order_count
    or matrix.net_amount <> customers.net_amount
