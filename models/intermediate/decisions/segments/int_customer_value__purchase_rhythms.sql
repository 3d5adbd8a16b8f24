-- Orders of one day are one purchase: a basket that was paid in two parts is no rhythm.
with purchases as (

    select
        customer_id,
        order_date,
        days_since_previous_order as gap_days
    from {{ ref('orders_cleaned') }}
    where days_since_previous_order is null or days_since_previous_order > 0

),

shop_rhythms as (

    select * from {{ ref('int_customer_value__shop_rhythms') }}

),

histories as (

    select
        customer_id,
        order_date,
        gap_days,
        coalesce(
            lead(order_date) over (partition by customer_id order by order_date), cast('9999-12-31' as date)
        ) as next_order_date,
        row_number() over (partition by customer_id order by order_date) - 1 as gap_count,
        coalesce(
            sum(gap_days) over (partition by customer_id order by order_date rows between unbounded preceding and current row), 0
        ) as total_gap_days,
        coalesce(
            sum(gap_days) over (partition by customer_id order by order_date rows between 3 preceding and current row), 0
        ) as recent_gap_days
    from purchases

)

-- Judged by what was known on the day.
select
    histories.customer_id,
    histories.order_date,
    histories.next_order_date,
    histories.gap_count + 1 as purchase_day_count,
    histories.gap_count,
    histories.total_gap_days,
    {{ customer_value.return_rhythms('histories.gap_count', 'histories.total_gap_days', 'histories.gap_days', 'shop_rhythms.shop_days_between_orders') }}
        as return_rhythms,
    {{ customer_value.pace_ratio('histories.gap_count', 'histories.total_gap_days', 'histories.recent_gap_days', 'shop_rhythms.shop_days_between_orders') }}
        as pace_ratio
from histories
inner join shop_rhythms on histories.order_date = shop_rhythms.as_of_date
