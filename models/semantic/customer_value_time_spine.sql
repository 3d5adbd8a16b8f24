with run as (

    select
        as_of_date,
        first_order_date
    from {{ ref('int_customer_value__run') }}

),

-- To the end of the horizon: whatever a table dates lies before it. Without orders there is no day.
day_numbers as (

    {{
        customer_value.integers(
            0,
            'select ' ~ customer_value.datediff('first_order_date', customer_value.period_end('as_of_date', var('horizon_periods')), 'day') ~ ' from run where first_order_date is not null',
            'day_number'
        )
    }}

)

select cast({{ customer_value.dateadd('day', 'day_numbers.day_number', 'run.first_order_date') }} as date) as date_day
from run
cross join day_numbers
where run.first_order_date is not null
