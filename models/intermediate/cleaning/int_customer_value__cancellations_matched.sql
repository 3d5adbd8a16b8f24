with order_lines as not materialized (

    select * from {{ ref('int_customer_value__order_lines_checked') }}
    where reject_reason is null and customer_id is not null

),

-- Goods that a customer ever gave back, in that very quantity: the only lines to look at.
given_back as (

    select distinct
        customer_id,
        product_id,
        -quantity as quantity
    from order_lines
    where quantity < 0

),

-- Sales and cancellations of the same goods, customer and quantity, in time. How many are still
-- out goes up by a sale and down by a cancellation; a cancellation takes back the sale that
-- brought the count to where it stands: the latest one not yet taken back.
counted as (

    select
        order_lines.order_line_id,
        order_lines.order_id,
        order_lines.product_id,
        order_lines.customer_id,
        order_lines.quantity,
        order_lines.ordered_at,
        given_back.quantity as absolute_quantity,
        sum(case when order_lines.quantity > 0 then 1 else -1 end) over (
            partition by order_lines.customer_id, order_lines.product_id, given_back.quantity
            order by
                order_lines.ordered_at asc,
                order_lines.quantity desc,
                order_lines.order_line_id asc
            rows between unbounded preceding and current row
        ) as still_out
    from order_lines
    inner join given_back
        on
            order_lines.customer_id = given_back.customer_id
            and order_lines.product_id = given_back.product_id
            and abs(order_lines.quantity) = given_back.quantity

),

paired as (

    select
        order_line_id,
        order_id,
        quantity,
        lag(case when quantity > 0 then order_id end) over (
            partition by
                customer_id, product_id, absolute_quantity, still_out + case when quantity > 0 then 0 else 1 end
            order by ordered_at asc, quantity desc, order_line_id asc
        ) as sold_in_order_id
    from counted

)

select
    order_line_id,
    order_id,
    sold_in_order_id
from paired
where quantity < 0 and sold_in_order_id is not null
