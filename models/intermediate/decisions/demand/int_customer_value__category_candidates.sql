{%- set double = customer_value.type_double() -%}
{#- Candidates beside a customer's own: the shop's most popular, and what follows each category most. -#}
{%- set most_popular = 5 -%}
{%- set most_following = 3 -%}
{#- What follows a category is drawn to what is popular by as much as this many orders. -#}
{%- set lent_orders = 20 -%}

with habits as (

    select * from {{ ref('int_customer_value__category_habits') }}

),

follows as (

    select * from {{ ref('int_customer_value__category_follows') }}

),

shares as (

    select * from {{ ref('int_customer_value__category_shares') }}

),

splits as (

    select * from {{ ref('int_customer_value__category_splits') }}

),

order_categories as (

    select * from {{ ref('int_customer_value__order_categories') }}

),

customers as (

    select
        purpose,
        customer_id,
        max(history_band) as history_band,
        count(case when is_in_last_order then 1 end) as last_category_count
    from habits
    group by purpose, customer_id

),

last_categories as (

    select
        habits.purpose,
        habits.customer_id,
        habits.category,
        customers.last_category_count
    from habits
    inner join customers on habits.purpose = customers.purpose and habits.customer_id = customers.customer_id
    where habits.is_in_last_order

),

next_orders as (

    select
        splits.purpose,
        customers.customer_id,
        min(order_categories.order_number) as order_number
    from customers
    inner join splits on customers.purpose = splits.purpose and splits.purpose <> 'use'
    inner join order_categories
        on
            customers.customer_id = order_categories.customer_id
            and splits.split_date <= order_categories.order_date
    group by splits.purpose, customers.customer_id

),

targets as (

    select
        next_orders.purpose,
        next_orders.customer_id,
        order_categories.category
    from next_orders
    inner join order_categories
        on next_orders.customer_id = order_categories.customer_id and next_orders.order_number = order_categories.order_number

),

asked as (

    select
        purpose,
        customer_id,
        category
    from habits
    where is_candidate
    union
    select
        last_categories.purpose,
        last_categories.customer_id,
        follows.to_category as category
    from last_categories
    inner join follows
        on
            last_categories.purpose = follows.purpose
            and last_categories.category = follows.from_category
            and follows.follow_rank <= {{ most_following }}
    union
    select
        customers.purpose,
        customers.customer_id,
        shares.category
    from customers
    inner join shares on customers.purpose = shares.purpose and shares.shop_rank <= {{ most_popular }}

),

-- The mean over the categories of the last order, exact to nine decimals whatever their order.
following as (

    select
        asked.purpose,
        asked.customer_id,
        asked.category,
        sum(
            cast(
                coalesce(
                    (cast(coalesce(follows.order_count, 0) as {{ double }}) + {{ lent_orders }} * coalesce(shares.shop_rate, 0))
                    / (from_orders.followed_order_count + {{ lent_orders }}),
                    shares.shop_rate,
                    0
                ) as decimal(18, 9)
            )
        ) as follow_rates
    from asked
    inner join last_categories on asked.purpose = last_categories.purpose and asked.customer_id = last_categories.customer_id
    left join shares on asked.purpose = shares.purpose and asked.category = shares.category
    left join follows
        on
            asked.purpose = follows.purpose
            and last_categories.category = follows.from_category
            and asked.category = follows.to_category
    left join follows as from_orders
        on
            asked.purpose = from_orders.purpose
            and last_categories.category = from_orders.from_category
            and from_orders.follow_rank = 1
    group by asked.purpose, asked.customer_id, asked.category

)

select
    asked.purpose,
    asked.customer_id,
    asked.category,
    customers.history_band,
    coalesce(habits.recent_rate, 0) as recent_rate,
    coalesce(habits.own_rate, 0) as own_rate,
    cast(following.follow_rates as {{ double }}) / customers.last_category_count as follow_rate,
    coalesce(shares.shop_rate, 0) as shop_rate,
    targets.category is not null as is_in_next_order
from asked
inner join customers on asked.purpose = customers.purpose and asked.customer_id = customers.customer_id
inner join following
    on
        asked.purpose = following.purpose
        and asked.customer_id = following.customer_id
        and asked.category = following.category
left join habits
    on asked.purpose = habits.purpose and asked.customer_id = habits.customer_id and asked.category = habits.category
left join shares on asked.purpose = shares.purpose and asked.category = shares.category
left join targets
    on asked.purpose = targets.purpose and asked.customer_id = targets.customer_id and asked.category = targets.category
