with forecasts as (

    select * from {{ ref('demand_forecasting') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

select
    forecasts.category,
    cast(forecasts.period_number as {{ dbt.type_int() }}) as period_number,
    cast({{ customer_value.dateadd('day', '7 * cast(forecasts.period_number - 1 as ' ~ dbt.type_int() ~ ')', 'run.as_of_date') }} as date) as period_start_date,
    cast({{ customer_value.dateadd('day', '7 * cast(forecasts.period_number as ' ~ dbt.type_int() ~ ')', 'run.as_of_date') }} as date) as period_end_date,
    {% for measure in ['quantity', 'order_count'] -%}
        round(forecasts.{{ measure }}_forecast, 6) as expected_{{ measure }},
        round(forecasts.{{ measure }}_lower, 6) as {{ measure }}_lower,
        round(forecasts.{{ measure }}_upper, 6) as {{ measure }}_upper,
        round(forecasts.{{ measure }}_recent_mean, 6) as {{ measure }}_recent_mean,
    {% endfor -%}
    cast(forecasts.amount_forecast as decimal(38, 6)) as expected_amount,
    cast(forecasts.amount_lower as decimal(38, 6)) as amount_lower,
    cast(forecasts.amount_upper as decimal(38, 6)) as amount_upper,
    cast(forecasts.amount_recent_mean as decimal(38, 6)) as amount_recent_mean,
    run.interval_level,
    forecasts.forecast_method,
    cast(forecasts.history_weeks as {{ dbt.type_int() }}) as history_weeks,
    run.as_of_date,
    run.run_id
from forecasts
cross join run
