{%- set double = customer_value.type_double() %}

with run as (

    select
        cast({{ customer_value.dateadd('day', '-history_days', 'as_of_date') }} as date) as history_start_date
    from {{ ref('int_customer_value__run') }}

),

cohort_days as (

    select * from {{ ref('int_customer_value__cohort_days') }}

),

-- What a window is foretold by, if by nothing better, is what the last one of its length brought:
-- or as much of it as there is, in proportion. And the same window of the year before, of the
-- customers who were known then.
windows as (

    select
        training_windows.as_of_date,
        training_windows.horizon_days,
        {{ customer_value.datediff('run.history_start_date', 'training_windows.as_of_date', 'day') }} as history_days,
        least(
            training_windows.horizon_days,
            {{ customer_value.datediff('run.history_start_date', 'training_windows.as_of_date', 'day') }}
        ) as last_window_days,
        {{ customer_value.datediff('run.history_start_date', 'training_windows.as_of_date', 'day') }} > 365 as has_last_year
    from {{ ref('int_customer_value__training_windows') }} as training_windows
    cross join run

),

placed as (

    select
        windows.*,
        {{ customer_value.datediff('windows.as_of_date', 'cohort_days.first_order_date', 'day') }} as first_order_day,
        {{ customer_value.datediff('windows.as_of_date', 'cohort_days.order_date', 'day') }} as order_day,
        cohort_days.new_customer_count,
        cohort_days.order_count,
        cohort_days.net_amount
    from windows
    inner join cohort_days on windows.as_of_date > cohort_days.first_order_date

),

totals as (

    select
        as_of_date,
        horizon_days,
        history_days,
        last_window_days,
        has_last_year,
        sum(new_customer_count) as customer_count,
        sum(case when first_order_day < -365 then new_customer_count else 0 end) as customer_count_last_year,
        sum(case when order_day >= 0 and order_day < horizon_days then order_count else 0 end) as order_count,
        sum(case when order_day >= 0 and order_day < horizon_days then net_amount else 0 end) as net_amount,
        sum(case when order_day < 0 and order_day >= -365 then net_amount else 0 end) as known_last_year_amount,
        sum(case when order_day < 0 and order_day >= -last_window_days then net_amount else 0 end) as last_window_amount,
        sum(
            case
                when first_order_day < -365 and order_day >= -365 and order_day < horizon_days - 365 then net_amount
                else 0
            end
        ) as last_year_amount
    from placed
    group by as_of_date, horizon_days, history_days, last_window_days, has_last_year

)

select
    as_of_date,
    horizon_days,
    history_days,
    cast(customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(net_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(known_last_year_amount as {{ customer_value.type_amount() }}) as known_last_year_amount,
    cast(last_window_amount as {{ double }}) * horizon_days / last_window_days as persisted_amount,
    -- The window of the year before has to be over on the date.
    case
        when has_last_year and horizon_days <= 365 and customer_count_last_year > 0
            then cast(last_year_amount as {{ double }}) * customer_count / customer_count_last_year
    end as last_year_amount
from totals
