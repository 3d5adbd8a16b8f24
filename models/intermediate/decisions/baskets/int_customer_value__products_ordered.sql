-- What was sold, also where it was given back later: at a past date nobody could have known.
with order_lines as (

    select
        order_id,
        product_id,
        -- Of one category at a time; where lines disagree, always the same one.
        max(category) as category,
        sum(gross_amount - discount_amount) as net_amount
    from {{ ref('order_lines_cleaned') }}
    where line_kind = 'sale'
    group by order_id, product_id

),

orders as (

    select * from {{ ref('orders_cleaned') }}

)

select
    orders.order_id,
    orders.customer_id,
    orders.order_date,
    order_lines.product_id,
    order_lines.category,
    cast(order_lines.net_amount as {{ customer_value.type_amount() }}) as net_amount
from order_lines
inner join orders on order_lines.order_id = orders.order_id
