with measured as (

    select * from {{ ref('demand_backtesting') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

-- What is not a number there is not known here.
select
    measured.measure,
    measured.scope,
    cast(measured.period_number as {{ dbt.type_int() }}) as period_number,
    measured.method,
    round(measured.absolute_error_rate, 9) as absolute_error_rate,
    round(measured.bias_rate, 9) as bias_rate,
    case when not isnan(measured.coverage_rate) then round(measured.coverage_rate, 9) end as coverage_rate,
    run.interval_level,
    cast(measured.season_weeks as {{ dbt.type_int() }}) as season_weeks,
    cast(measured.origin_count as {{ dbt.type_bigint() }}) as origin_count,
    cast(measured.case_count as {{ dbt.type_bigint() }}) as case_count,
    run.as_of_date,
    run.run_id
from measured
cross join run
