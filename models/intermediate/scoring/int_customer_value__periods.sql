with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

),

period_numbers as (

    {{ customer_value.integers(1, var('horizon_periods'), 'period_number') }}

),

bounded as (

    select
        run.as_of_date,
        period_numbers.period_number,
        {{ customer_value.period_end('run.as_of_date', '(period_numbers.period_number - 1)') }} as period_start,
        {{ customer_value.period_end('run.as_of_date', 'period_numbers.period_number') }} as period_end
    from run
    cross join period_numbers

)

select
    as_of_date,
    cast(period_number as {{ dbt.type_int() }}) as period_number,
    period_start,
    period_end,
    {{ customer_value.datediff('as_of_date', 'period_start', 'day') }} as days_to_start,
    {{ customer_value.datediff('as_of_date', 'period_end', 'day') }} as days_to_end,
    round(
        {{ customer_value.discount_factor(var('annual_discount_rate'), 'period_number', customer_value.periods_per_year()) }}, 12
    ) as discount_factor
from bounded
