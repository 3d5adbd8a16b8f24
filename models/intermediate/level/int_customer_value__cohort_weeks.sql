with feature_dates as (

    select * from {{ ref('int_customer_value__feature_dates') }}

),

cohort_days as (

    select * from {{ ref('int_customer_value__cohort_days') }}

),

-- Weeks are counted back from each date, so that every one is whole and ends where knowledge ends.
known as (

    select
        feature_dates.as_of_date,
        feature_dates.is_current,
        cast(
            floor(({{ customer_value.datediff('cohort_days.first_order_date', 'feature_dates.as_of_date', 'day') }} - 1) / 7.0)
            as {{ dbt.type_int() }}
        ) as cohort_week,
        cast(
            floor(({{ customer_value.datediff('cohort_days.order_date', 'feature_dates.as_of_date', 'day') }} - 1) / 7.0)
            as {{ dbt.type_int() }}
        ) as week_number,
        cohort_days.new_customer_count,
        cohort_days.repeat_order_count,
        cohort_days.repeat_net_amount
    from feature_dates
    inner join cohort_days on feature_dates.as_of_date > cohort_days.order_date

)

select
    as_of_date,
    is_current,
    cohort_week,
    week_number,
    sum(new_customer_count) as new_customer_count,
    sum(repeat_order_count) as order_count,
    cast(sum(repeat_net_amount) as {{ customer_value.type_amount() }}) as net_amount
from known
group by as_of_date, is_current, cohort_week, week_number
