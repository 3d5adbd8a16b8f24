with orders as (

    select * from {{ ref('orders_cleaned') }}

)

-- A purchase day is a day on which a customer ordered, however often.
select
    cast(ordered_at as date) as order_date,
    count(*) as order_count,
    sum(case when is_first_order then 1 else 0 end) as new_customer_count,
    sum(case when days_since_previous_order = 0 then 0 else 1 end) as purchase_day_count,
    sum(net_amount) as net_amount
from orders
group by cast(ordered_at as date)
