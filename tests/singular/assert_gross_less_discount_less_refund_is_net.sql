select
    order_id,
    gross_amount,
    discount_amount,
    refund_amount,
    net_amount
from {{ ref('orders_cleaned') }}
where gross_amount - discount_amount - refund_amount <> net_amount
