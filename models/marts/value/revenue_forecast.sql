with revenue_forecasting as (

    select * from {{ ref('revenue_forecasting') }}

),

period_totals as (

    select * from {{ ref('int_customer_value__period_totals') }}

),

periods as (

    select * from {{ ref('int_customer_value__periods') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

levelled as (

    select
        periods.period_number,
        periods.period_start,
        periods.period_end,
        period_totals.customer_count,
        period_totals.expected_order_count,
        cast(period_totals.expected_net_amount as {{ customer_value.type_double() }}) as customer_model_amount,
        revenue_forecasting.cohort_net_amount,
        revenue_forecasting.level_factor,
        revenue_forecasting.season_factor,
        revenue_forecasting.trend_factor,
        revenue_forecasting.lower_ratio,
        revenue_forecasting.upper_ratio,
        period_totals.as_of_date,
        period_totals.model_version
    from periods
    inner join period_totals on periods.period_number = period_totals.period_number
    inner join revenue_forecasting on periods.period_number = revenue_forecasting.period_number

)

select
    levelled.period_number,
    levelled.period_start,
    levelled.period_end,
    levelled.customer_count,
    cast(levelled.customer_model_amount * levelled.level_factor as {{ customer_value.type_amount() }}) as forecast_net_amount,
    cast(levelled.customer_model_amount * levelled.level_factor * levelled.lower_ratio as {{ customer_value.type_amount() }})
        as forecast_net_amount_lower,
    cast(levelled.customer_model_amount * levelled.level_factor * levelled.upper_ratio as {{ customer_value.type_amount() }})
        as forecast_net_amount_upper,
    cast(levelled.customer_model_amount as {{ customer_value.type_amount() }}) as customer_model_net_amount,
    cast(levelled.cohort_net_amount as {{ customer_value.type_amount() }}) as cohort_net_amount,
    levelled.level_factor,
    levelled.season_factor,
    levelled.trend_factor,
    round(cast(levelled.expected_order_count as {{ customer_value.type_double() }}), 6) as expected_order_count,
    levelled.as_of_date,
    levelled.model_version,
    run.run_id
from levelled
cross join run
