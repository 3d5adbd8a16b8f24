with orders as (

    select * from {{ ref('orders_cleaned') }}

),

order_months as (

    select
        cohort_month,
        cast(date_trunc('month', order_date) as date) as order_month,
        net_amount,
        -- A customer is counted in the month of an order once: at the first order of that month.
        -- So no distinct count over all orders is needed.
        case
            when days_since_previous_order is null then 1
            when
                date_trunc('month', {{ customer_value.dateadd('day', '-days_since_previous_order', 'order_date') }})
                < date_trunc('month', order_date)
                then 1
            else 0
        end as is_first_order_of_month
    from orders

),

activity as (

    select
        cohort_month,
        order_month,
        sum(is_first_order_of_month) as active_customers,
        count(*) as order_count,
        sum(net_amount) as net_amount
    from order_months
    group by cohort_month, order_month

),

cohorts as (

    select
        cohort_month,
        active_customers as cohort_size
    from activity
    where order_month = cohort_month

),

-- Months run from the first order to the last one, those without an order included.
last_month as (

    select max(order_month) as order_month from activity

),

month_numbers as (

    {{ customer_value.integers(0, 'select ' ~ customer_value.datediff('min(cohort_month)', 'max(order_month)', 'month') ~ ' from activity', 'month_number') }}

),

cohort_months as (

    select
        cohorts.cohort_month,
        cohorts.cohort_size,
        month_numbers.month_number,
        cast({{ customer_value.dateadd('month', 'month_numbers.month_number', 'cohorts.cohort_month') }} as date) as order_month
    from cohorts
    cross join month_numbers
    cross join last_month
    where {{ customer_value.dateadd('month', 'month_numbers.month_number', 'cohorts.cohort_month') }} <= last_month.order_month

)

select
    cohort_months.cohort_month,
    cast(cohort_months.month_number as {{ dbt.type_int() }}) as month_number,
    cohort_months.order_month,
    cast(cohort_months.cohort_size as {{ dbt.type_bigint() }}) as cohort_size,
    cast(coalesce(activity.active_customers, 0) as {{ dbt.type_bigint() }}) as active_customers,
    round(
        cast(coalesce(activity.active_customers, 0) as {{ customer_value.type_double() }}) / cohort_months.cohort_size, 6
    ) as retention_rate,
    cast(coalesce(activity.order_count, 0) as {{ dbt.type_bigint() }}) as order_count,
    cast(coalesce(activity.net_amount, 0) as {{ customer_value.type_amount() }}) as net_amount,
    cast(
        sum(coalesce(activity.net_amount, 0)) over (
            partition by cohort_months.cohort_month
            order by cohort_months.month_number
            rows between unbounded preceding and current row
        ) as {{ customer_value.type_amount() }}
    ) as cumulative_net_amount,
    {{ customer_value.run_id() }} as run_id
from cohort_months
left join activity
    on
        cohort_months.cohort_month = activity.cohort_month
        and cohort_months.order_month = activity.order_month
