with customers_won as (

    select
        customer_id,
        {{ customer_value.reporting_date('acquired_at') }} as known_date
    from {{ ref('int_customer_value__customers_won') }}

),

visitors as (

    select
        customer_id,
        min({{ customer_value.reporting_date('event_at') }}) as known_date
    from {{ ref('int_customer_value__events_checked') }}
    where reject_reason is null
    group by customer_id

),

run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

),

known as (

    select
        customer_id,
        min(known_date) as known_date
    from (
        select * from customers_won
        union all
        select * from visitors
    ) as everybody
    group by customer_id

),

first_orders as (

    select
        customer_id,
        min(order_date) as first_order_date
    from {{ ref('orders_cleaned') }}
    where is_first_order
    group by customer_id

)

-- Whoever is said to have been won after the first order was no prospect.
select
    known.customer_id,
    known.known_date,
    coalesce(first_orders.first_order_date, cast('9999-12-31' as date)) as first_order_date
from known
cross join run
left join first_orders on known.customer_id = first_orders.customer_id
where
    (known.known_date < run.as_of_date or known.known_date is null)
    and (first_orders.first_order_date is null or known.known_date < first_orders.first_order_date)
