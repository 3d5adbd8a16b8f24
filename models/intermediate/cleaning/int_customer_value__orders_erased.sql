{{ config(materialized='view') }}

-- What is known of an order by its id alone, its lines and refunds, goes with its customer.
select distinct orders.order_id
from {{ ref('stg_customer_value__orders') }} as orders
inner join {{ ref('int_customer_value__customers_left_out') }} as customers_left_out
    on orders.customer_id = customers_left_out.customer_id
where customers_left_out.reason = 'erased_customer' and orders.order_id is not null
