{#- Beyond the largest so many, categories are one. -#}
{%- set most_categories = 500 -%}

with order_lines as not materialized (

    select
        order_id,
        coalesce(nullif(trim(category), ''), 'unknown') as category,
        quantity,
        gross_amount - discount_amount as amount
    from {{ ref('order_lines_cleaned') }}
    where line_kind = 'sale'

),

orders as (

    select
        order_id,
        customer_id,
        order_date,
        order_number
    from {{ ref('orders_cleaned') }}

),

categories as (

    select
        category,
        row_number() over (order by sum(amount) desc, category asc) as category_number
    from order_lines
    group by category

),

-- What was ordered, not what was kept: refunds are another question than demand.
by_order as (

    select
        order_lines.order_id,
        case when categories.category_number <= {{ most_categories }} then categories.category else '(other)' end as category,
        sum(order_lines.quantity) as quantity,
        sum(order_lines.amount) as amount
    from order_lines
    inner join categories on order_lines.category = categories.category
    group by
        order_lines.order_id,
        case when categories.category_number <= {{ most_categories }} then categories.category else '(other)' end

)

select
    orders.customer_id,
    by_order.order_id,
    orders.order_date,
    cast(orders.order_number as {{ dbt.type_bigint() }}) as order_number,
    by_order.category,
    by_order.quantity,
    cast(by_order.amount as {{ customer_value.type_amount() }}) as amount
from by_order
inner join orders on by_order.order_id = orders.order_id
