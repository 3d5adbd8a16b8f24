with orders as (

    select * from {{ ref('orders_cleaned') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

days as (

    {{ customer_value.integers(0, 'select ' ~ customer_value.datediff('coalesce(first_order_date, as_of_date)', 'as_of_date', 'day') ~ ' from ' ~ ref('int_customer_value__run'), 'day_number') }}

),

calendar as (

    select cast({{ customer_value.dateadd('day', 'days.day_number', 'coalesce(run.first_order_date, run.as_of_date)') }} as date) as as_of_date
    from days
    cross join run

),

-- A gap counts from the day on which a whole churn window has passed since it began, and only if it
-- was shorter. Counted earlier, a young shop would know its short gaps alone and think itself quick.
complete_gaps as (

    select
        cast({{ customer_value.dateadd('day', var('churn_window_days') ~ ' - days_since_previous_order', 'order_date') }} as date) as known_date,
        count(*) as gap_count,
        sum(days_since_previous_order) as gap_days
    from orders
    where days_since_previous_order > 0 and days_since_previous_order < {{ var('churn_window_days') }}
    group by known_date

),

known as (

    select
        calendar.as_of_date,
        sum(coalesce(complete_gaps.gap_count, 0)) over (
            order by calendar.as_of_date rows between unbounded preceding and current row
        ) as gap_count,
        sum(coalesce(complete_gaps.gap_days, 0)) over (
            order by calendar.as_of_date rows between unbounded preceding and current row
        ) as gap_days
    from calendar
    left join complete_gaps on calendar.as_of_date = complete_gaps.known_date

)

-- Twenty gaps of a quarter of the churn window are added. They tell where nothing else does: by the
-- seed's stages, somebody of no known rhythm then lapses where the churn window ends.
select
    as_of_date,
    cast(gap_days + 20 * {{ var('churn_window_days') }} / 4.0 as {{ customer_value.type_double() }}) / (gap_count + 20)
        as shop_days_between_orders
from known
