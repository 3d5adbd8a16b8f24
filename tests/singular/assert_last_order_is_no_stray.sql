{{ config(severity='warn') }}

-- Where as_of_date is left to the orders, one mistyped year moves it, and everybody seems lost.
-- So a last day with orders that is far from the day before it is told of; set the var
-- as_of_date, and what lies beyond is rejected.
with days as (

    select
        order_date,
        lag(order_date) over (order by order_date) as previous_order_date,
        row_number() over (order by order_date desc) as recency_rank
    from {{ ref('int_customer_value__shop_days') }}
    where order_count > 0

)

select
    order_date,
    previous_order_date
from days
where
    recency_rank = 1
    and {{ customer_value.datediff('previous_order_date', 'order_date', 'day') }} > 90
