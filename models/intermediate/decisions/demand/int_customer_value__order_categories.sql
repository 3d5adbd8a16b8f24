-- What was ordered, not what was kept: refunds are another question than demand.
with order_lines as (

    select
        order_id,
        coalesce(category, '') as line_category,
        quantity,
        gross_amount - discount_amount as amount
    from {{ ref('order_lines_cleaned') }}
    where line_kind = 'sale'

),

orders as (

    select * from {{ ref('int_customer_value__orders_numbered') }}

),

categories as (

    select * from {{ ref('int_customer_value__categories_numbered') }}

)

select
    orders.basket_number,
    categories.category_number,
    orders.customer_number,
    orders.order_number,
    orders.order_date,
    sum(order_lines.quantity) as quantity,
    cast(sum(order_lines.amount) as {{ customer_value.type_amount() }}) as amount
from order_lines
inner join orders on order_lines.order_id = orders.order_id
inner join categories on order_lines.line_category = categories.line_category
group by orders.basket_number, categories.category_number, orders.customer_number, orders.order_number, orders.order_date
