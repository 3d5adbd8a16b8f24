with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Up to the month of the day before the as_of_date, the last one that anything is known of.
bounds as (

    select
        as_of_date,
        cast(date_trunc('month', coalesce(first_order_date, {{ customer_value.dateadd('day', -1, 'as_of_date') }})) as date) as first_month,
        cast(date_trunc('month', {{ customer_value.dateadd('day', -1, 'as_of_date') }}) as date) as last_month
    from run

),

month_numbers as (

    {{ customer_value.integers(0, 'select ' ~ customer_value.datediff('first_month', 'last_month', 'month') ~ ' from bounds', 'month_number') }}

),

months as (

    select
        bounds.as_of_date as run_as_of_date,
        cast({{ customer_value.dateadd('month', 'month_numbers.month_number', 'bounds.first_month') }} as date) as movement_month,
        cast({{ customer_value.dateadd('month', 'month_numbers.month_number + 1', 'bounds.first_month') }} as date) as next_month
    from month_numbers
    cross join bounds

)

select
    movement_month,
    least(next_month, run_as_of_date) as as_of_date,
    next_month <= run_as_of_date as is_whole_month,
    next_month >= run_as_of_date as is_current
from months
