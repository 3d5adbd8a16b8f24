with measured as (

    select * from {{ ref('next_event_backtesting') }}
    union all
    select * from {{ ref('cart_backtesting') }}
    union all
    select * from {{ ref('next_category_backtesting') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

select
    measured.prediction,
    measured.method,
    measured.metric,
    round(measured.metric_value, 9) as metric_value,
    measured.is_used,
    cast(measured.case_count as {{ dbt.type_bigint() }}) as case_count,
    run.as_of_date,
    run.run_id
from measured
cross join run
