{%- set double = customer_value.type_double() %}

with revenue_backtesting as (

    select * from {{ ref('revenue_backtesting') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

metrics as (

    -- Without anything actual a bias is of nothing.
    select
        *,
        'bias' as metric,
        case when actual_net_amount > 0 then forecast_net_amount / actual_net_amount end as metric_value
    from revenue_backtesting

    union all

    select
        *,
        'absolute_error' as metric,
        abs(forecast_net_amount - actual_net_amount) as metric_value
    from revenue_backtesting

    union all

    -- An error by half weighs as much as one by double.
    select
        *,
        'absolute_log_error' as metric,
        case
            when actual_net_amount > 0 and forecast_net_amount > 0 then abs(ln(forecast_net_amount / actual_net_amount))
        end as metric_value
    from revenue_backtesting

    union all

    select
        *,
        'interval_coverage' as metric,
        case when actual_net_amount between forecast_lower and forecast_upper then 1 else 0 end as metric_value
    from revenue_backtesting
    where method = 'levelled'

)

select
    cast(metrics.as_of_date as date) as origin_date,
    cast(metrics.horizon_days as {{ dbt.type_int() }}) as horizon_days,
    metrics.method,
    metrics.metric,
    round(cast(metrics.metric_value as {{ double }}), 9) as metric_value,
    cast(metrics.forecast_net_amount as {{ customer_value.type_amount() }}) as forecast_net_amount,
    cast(metrics.actual_net_amount as {{ customer_value.type_amount() }}) as actual_net_amount,
    cast(metrics.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    run.as_of_date,
    run.run_id
from metrics
cross join run
where metrics.metric_value is not null
