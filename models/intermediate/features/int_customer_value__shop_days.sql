with orders as (

    select * from {{ ref('orders_cleaned') }}

),

late_refunds as (

    select * from {{ ref('order_refunds') }}
    where refund_date > order_date

),

-- A purchase day is a day on which a customer ordered, however often.
order_days as (

    select
        order_date,
        count(*) as order_count,
        sum(case when is_first_order then 1 else 0 end) as new_customer_count,
        sum(case when days_since_previous_order = 0 then 0 else 1 end) as purchase_day_count,
        sum(net_amount) as net_amount
    from orders
    group by order_date

),

-- Until its day a refund was not known: it goes from the day of the order to that day.
moved_refunds as (

    select
        order_date as shop_date,
        refund_amount
    from late_refunds

    union all

    select
        refund_date as shop_date,
        -refund_amount as refund_amount
    from late_refunds

),

refund_days as (

    select
        shop_date,
        sum(refund_amount) as moved_amount
    from moved_refunds
    group by shop_date

)

select
    coalesce(order_days.order_date, refund_days.shop_date) as order_date,
    coalesce(order_days.order_count, 0) as order_count,
    coalesce(order_days.new_customer_count, 0) as new_customer_count,
    coalesce(order_days.purchase_day_count, 0) as purchase_day_count,
    coalesce(order_days.net_amount, 0) + coalesce(refund_days.moved_amount, 0) as net_amount
from order_days
full outer join refund_days on order_days.order_date = refund_days.shop_date
