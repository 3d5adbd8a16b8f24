{#- What follows what is the same for all customers, and so many of them tell it. -#}
{%- set most_customers = 20000 -%}

with splits as (

    select * from {{ ref('int_customer_value__category_splits') }}

),

order_categories as (

    select * from {{ ref('int_customer_value__order_categories') }}

),

customers as (

    select
        customer_id,
        count(*) over () as customer_count
    from {{ ref('customer_value', 'customers') }}

),

sampled as (

    select order_categories.*
    from order_categories
    inner join customers on order_categories.customer_id = customers.customer_id
    where
        customers.customer_count <= {{ most_customers }}
        or {{ customer_value.hash_fraction("customers.customer_id || '" ~ var('random_seed') ~ "'") }} * customers.customer_count
        < {{ most_customers }}

),

next_orders as (

    select distinct
        customer_id,
        order_number - 1 as previous_order_number,
        order_date
    from sampled

),

-- Each category of an order with each of the customer's next one. Under no category stands how many orders were
-- followed by another.
by_day as (

    select
        sampled.category as from_category,
        following.category as to_category,
        following.order_date,
        count(*) as order_count
    from sampled
    inner join sampled as following
        on sampled.customer_id = following.customer_id and sampled.order_number + 1 = following.order_number
    group by sampled.category, following.category, following.order_date

    union all

    select
        sampled.category as from_category,
        cast(null as {{ dbt.type_string() }}) as to_category,
        next_orders.order_date,
        count(*) as order_count
    from sampled
    inner join next_orders
        on sampled.customer_id = next_orders.customer_id and sampled.order_number = next_orders.previous_order_number
    group by sampled.category, next_orders.order_date

),

summed as (

    select
        splits.purpose,
        by_day.from_category,
        by_day.to_category,
        sum(by_day.order_count) as order_count
    from by_day
    inner join splits on by_day.order_date < splits.split_date
    group by splits.purpose, by_day.from_category, by_day.to_category

),

totalled as (

    select
        *,
        max(case when to_category is null then order_count end) over (partition by purpose, from_category) as followed_order_count
    from summed

)

select
    purpose,
    from_category,
    to_category,
    cast(order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(followed_order_count as {{ dbt.type_bigint() }}) as followed_order_count,
    row_number() over (partition by purpose, from_category order by order_count desc, to_category asc) as follow_rank
from totalled
where to_category is not null
