-- One row per line of the till's export. The input of customer_value, which cleans it.
select
    order_number,
    client,
    placed_at,
    total,
    coupon_cents,
    refunded_cents,
    state,
    changed_at
from {{ ref('shop_orders') }}
