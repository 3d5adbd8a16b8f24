{%- set double = customer_value.type_double() %}

with period_increments as (

    select * from {{ ref('int_customer_value__period_increments') }}

),

periods as (

    select * from {{ ref('int_customer_value__periods') }}

),

cohort_days as (

    select * from {{ ref('int_customer_value__cohort_days') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Exact sums of what each customer is expected to bring, before the level of the shop is looked at.
expected as (

    select
        period_number,
        min(as_of_date) as as_of_date,
        min(model_version) as model_version,
        count(*) as customer_count,
        sum(cast(expected_order_count as {{ customer_value.type_expectation() }})) as expected_order_count,
        sum(cast(expected_net_amount as {{ customer_value.type_expectation() }})) as expected_net_amount
    from period_increments
    group by period_number

),

-- What the shop took in as many days before as there are to the end of each period, or of as many
-- as there are, in proportion.
last_windows as (

    select
        periods.period_number,
        max(periods.days_to_end) as days_to_end,
        max(least(periods.days_to_end, run.history_days)) as last_window_days,
        sum(cohort_days.net_amount) as net_amount
    from periods
    cross join run
    inner join cohort_days
        on {{ customer_value.datediff('cohort_days.order_date', 'run.as_of_date', 'day') }} <= least(periods.days_to_end, run.history_days)
    group by periods.period_number

)

select
    expected.period_number,
    expected.as_of_date,
    expected.model_version,
    cast(expected.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(expected.expected_order_count as {{ customer_value.type_expectation() }}) as expected_order_count,
    cast(expected.expected_net_amount as {{ customer_value.type_expectation() }}) as expected_net_amount,
    coalesce(cast(last_windows.net_amount as {{ double }}) * last_windows.days_to_end / last_windows.last_window_days, 0)
        as persisted_amount
from expected
left join last_windows on expected.period_number = last_windows.period_number
