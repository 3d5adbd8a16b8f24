-- What was sold, also where it was given back later: at a past date nobody could have known.
with order_lines as (

    select * from {{ ref('order_lines_cleaned') }}
    where line_kind = 'sale'

),

orders as (

    select * from {{ ref('orders_cleaned') }}

)

select
    orders.order_id,
    orders.customer_id,
    orders.order_date,
    order_lines.product_id,
    -- Of one category at a time; where lines disagree, always the same one.
    max(order_lines.category) as category,
    cast(sum(order_lines.gross_amount - order_lines.discount_amount) as {{ customer_value.type_amount() }}) as net_amount
from order_lines
inner join orders on order_lines.order_id = orders.order_id
group by orders.order_id, orders.customer_id, orders.order_date, order_lines.product_id
