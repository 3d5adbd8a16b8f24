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
        customer_number,
        count(*) over () as customer_count
    from {{ ref('int_customer_value__customers_numbered') }}

),

held as (

    select
        order_categories.basket_number,
        order_categories.category_number,
        order_categories.customer_number,
        order_categories.order_number,
        order_categories.order_date
    from order_categories
    inner join customers on order_categories.customer_number = customers.customer_number
    where
        customers.customer_count <= {{ most_customers }}
        or {{ customer_value.hash_fraction("customers.customer_id || '" ~ var('random_seed') ~ "'") }} * customers.customer_count
        < {{ most_customers }}

),

orders as (

    select distinct
        basket_number,
        customer_number,
        order_number,
        order_date
    from held

),

-- Each order with the customer's next one, and the first split that knows of both: later ones know too.
followed as (

    select
        orders.basket_number,
        next_orders.basket_number as next_basket_number,
        min(splits.split_date) as known_from_date
    from orders
    inner join orders as next_orders
        on orders.customer_number = next_orders.customer_number and orders.order_number + 1 = next_orders.order_number
    inner join splits on next_orders.order_date < splits.split_date
    group by orders.basket_number, next_orders.basket_number

),

-- Each category of an order with each of the customer's next one.
pairs as (

    select
        followed.known_from_date,
        held.category_number as from_number,
        next_held.category_number as to_number,
        count(*) as order_count
    from followed
    inner join held on followed.basket_number = held.basket_number
    inner join held as next_held on followed.next_basket_number = next_held.basket_number
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
    inner join held on followed.basket_number = held.basket_number
    inner join splits on followed.known_from_date <= splits.split_date
    group by splits.purpose, held.category_number

)

select
    follows.purpose,
    follows.from_number,
    follows.to_number,
    cast(follows.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(all_followed.order_count as {{ dbt.type_bigint() }}) as followed_order_count,
    row_number() over (
        partition by follows.purpose, follows.from_number
        order by follows.order_count desc, follows.to_number asc
    ) as follow_rank
from follows
inner join all_followed on follows.purpose = all_followed.purpose and follows.from_number = all_followed.from_number
