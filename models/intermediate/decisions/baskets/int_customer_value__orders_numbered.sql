-- In the order of customers, and of a customer's orders in time: this needs no sort of all orders. Inlined
-- and not a view, which DuckDB refuses over a table whose schema bears the name of the database.
select
    orders.order_id,
    orders.order_date,
    cast(orders.order_number as {{ dbt.type_bigint() }}) as order_number,
    customers.customer_number,
    cast(customers.orders_before + orders.order_number as {{ dbt.type_bigint() }}) as basket_number
from {{ ref('orders_cleaned') }} as orders
inner join {{ ref('int_customer_value__customers_numbered') }} as customers on orders.customer_id = customers.customer_id
