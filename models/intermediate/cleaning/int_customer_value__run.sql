with orders as (

    select
        count(*) as order_count,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at
    from {{ ref('orders_cleaned') }}

)

-- Without a single order no date is better than another, and no row depends on it.
select
    coalesce(
        {{ customer_value.as_of_date_or_null() }},
        cast({{ dbt.dateadd('day', 1, 'last_ordered_at') }} as date),
        date '1970-01-01'
    ) as as_of_date,
    cast(first_ordered_at as date) as first_order_date,
    order_count,
    {{ customer_value.run_id() }} as run_id
from orders
