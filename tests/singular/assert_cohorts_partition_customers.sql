-- Cohort sizes add up to the customers, and cohorts' orders and money to all of them.
with cohorts as (

    select
        coalesce(sum(case when month_number = 0 then cohort_size end), 0) as customer_count,
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('cohort_retention') }}

),

customers as (

    select
        count(*) as customer_count,
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('customer_value', 'customers') }}

)

select cohorts.*
from cohorts
cross join customers
where
    cohorts.customer_count <> customers.customer_count
    or cohorts.order_count <> customers.order_count
    or cohorts.net_amount <> customers.net_amount
