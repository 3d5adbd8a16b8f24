-- What was refunded of an order is what its refunds add up to.
with refunds as (

    select
        order_id,
        sum(refund_amount) as refund_amount
    from {{ ref('order_refunds') }}
    group by order_id

)

select
    coalesce(orders.order_id, refunds.order_id) as order_id,
    orders.refund_amount,
    refunds.refund_amount as refunds_amount
from {{ ref('orders_cleaned') }} as orders
full outer join refunds on orders.order_id = refunds.order_id
where coalesce(orders.refund_amount, 0) <> coalesce(refunds.refund_amount, 0)
