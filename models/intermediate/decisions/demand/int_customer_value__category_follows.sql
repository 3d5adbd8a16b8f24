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

-- Numbers are joined and grouped in a fraction of the time that texts take; of categories they stand
-- in the order of the alphabet.
categories as (

    select
        category,
        cast(row_number() over (order by category) as {{ dbt.type_int() }}) as category_number
    from sampled
    group by category

),

orders as (

    select
        order_id,
        customer_id,
        order_number,
        order_date,
        cast(row_number() over (order by order_id) as {{ dbt.type_int() }}) as order_key
    from sampled
    group by order_id, customer_id, order_number, order_date

),

-- Each order with the customer's next one, and the first split that knows of both: later ones know too.
followed as (

    select
        orders.order_key,
        next_orders.order_key as next_order_key,
        min(splits.split_date) as known_from_date
    from orders
    inner join orders as next_orders
        on orders.customer_id = next_orders.customer_id and orders.order_number + 1 = next_orders.order_number
    inner join splits on next_orders.order_date < splits.split_date
    group by orders.order_key, next_orders.order_key

),

held as (

    select
        orders.order_key,
        categories.category_number
    from sampled
    inner join orders on sampled.order_id = orders.order_id
    inner join categories on sampled.category = categories.category

),

-- Each category of an order with each of the customer's next one.
pairs as (

    select
        followed.known_from_date,
        held.category_number as from_number,
        next_held.category_number as to_number,
        count(*) as order_count
    from followed
    inner join held on followed.order_key = held.order_key
    inner join held as next_held on followed.next_order_key = next_held.order_key
    group by followed.known_from_date, held.category_number, next_held.category_number

),

follows as (

    select
        splits.purpose,
        pairs.from_number,
        pairs.to_number,
        sum(pairs.order_count) as order_count
    from pairs
    inner join splits on pairs.known_from_date <= splits.split_date
    group by splits.purpose, pairs.from_number, pairs.to_number

),

-- How many orders of a category were followed by another, of whatever.
all_followed as (

    select
        splits.purpose,
        held.category_number as from_number,
        count(*) as order_count
    from followed
    inner join held on followed.order_key = held.order_key
    inner join splits on followed.known_from_date <= splits.split_date
    group by splits.purpose, held.category_number

)

select
    follows.purpose,
    from_categories.category as from_category,
    to_categories.category as to_category,
    cast(follows.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(all_followed.order_count as {{ dbt.type_bigint() }}) as followed_order_count,
    row_number() over (
        partition by follows.purpose, follows.from_number
        order by follows.order_count desc, follows.to_number asc
    ) as follow_rank
from follows
inner join all_followed on follows.purpose = all_followed.purpose and follows.from_number = all_followed.from_number
inner join categories as from_categories on follows.from_number = from_categories.category_number
inner join categories as to_categories on follows.to_number = to_categories.category_number
