-- What was sold, also where it was given back later: at a past date nobody could have known.
with order_lines as (

    select
        order_id,
        product_id,
        gross_amount - discount_amount as net_amount
    from {{ ref('order_lines_cleaned') }}
    where line_kind = 'sale'

),

orders as (

    select * from {{ ref('int_customer_value__orders_numbered') }}

),

products as (

    select * from {{ ref('int_customer_value__products_numbered') }}

)

select
    orders.basket_number,
    products.product_number,
    orders.customer_number,
    orders.order_date,
    cast(sum(order_lines.net_amount) as {{ customer_value.type_amount() }}) as net_amount
from order_lines
inner join orders on order_lines.order_id = orders.order_id
inner join products on order_lines.product_id = products.product_id
group by orders.basket_number, products.product_number, orders.customer_number, orders.order_date
