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

categories as (

    select distinct
        category_number,
        category
    from {{ ref('int_customer_value__categories_numbered') }}

),

customers as (

    select
        purpose,
        customer_number,
        max(history_band) as history_band,
        count(case when is_in_last_order then 1 end) as last_category_count
    from habits
    group by purpose, customer_number

),

last_categories as (

    select
        habits.purpose,
        habits.customer_number,
        habits.category_number,
        customers.last_category_count
    from habits
    inner join customers on habits.purpose = customers.purpose and habits.customer_number = customers.customer_number
    where habits.is_in_last_order

),

next_orders as (

    select
        splits.purpose,
        customers.customer_number,
        min(order_categories.order_number) as order_number
    from customers
    inner join splits on customers.purpose = splits.purpose and splits.purpose <> 'use'
    inner join order_categories
        on
            customers.customer_number = order_categories.customer_number
            and splits.split_date <= order_categories.order_date
    group by splits.purpose, customers.customer_number

),

targets as (

    select
        next_orders.purpose,
        next_orders.customer_number,
        order_categories.category_number
    from next_orders
    inner join order_categories
        on next_orders.customer_number = order_categories.customer_number and next_orders.order_number = order_categories.order_number

),

asked as (

    select
        purpose,
        customer_number,
        category_number
    from habits
    where is_candidate
    union
    select
        last_categories.purpose,
        last_categories.customer_number,
        follows.to_number as category_number
    from last_categories
    inner join follows
        on
            last_categories.purpose = follows.purpose
            and last_categories.category_number = follows.from_number
            and follows.follow_rank <= {{ most_following }}
    union
    select
        customers.purpose,
        customers.customer_number,
        shares.category_number
    from customers
    inner join shares on customers.purpose = shares.purpose and shares.shop_rank <= {{ most_popular }}

),

-- The mean over the categories of the last order, exact to nine decimals whatever their order.
following as (

    select
        asked.purpose,
        asked.customer_number,
        asked.category_number,
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
    inner join last_categories on asked.purpose = last_categories.purpose and asked.customer_number = last_categories.customer_number
    left join shares on asked.purpose = shares.purpose and asked.category_number = shares.category_number
    left join follows
        on
            asked.purpose = follows.purpose
            and last_categories.category_number = follows.from_number
            and asked.category_number = follows.to_number
    left join follows as from_orders
        on
            asked.purpose = from_orders.purpose
            and last_categories.category_number = from_orders.from_number
            and from_orders.follow_rank = 1
    group by asked.purpose, asked.customer_number, asked.category_number

)

select
    asked.purpose,
    numbered.customer_id,
    categories.category,
    customers.history_band,
    coalesce(habits.recent_rate, 0) as recent_rate,
    coalesce(habits.own_rate, 0) as own_rate,
    cast(following.follow_rates as {{ double }}) / customers.last_category_count as follow_rate,
    coalesce(shares.shop_rate, 0) as shop_rate,
    targets.category_number is not null as is_in_next_order
from asked
inner join {{ ref('int_customer_value__customers_numbered') }} as numbered on asked.customer_number = numbered.customer_number
inner join categories on asked.category_number = categories.category_number
inner join customers on asked.purpose = customers.purpose and asked.customer_number = customers.customer_number
inner join following
    on
        asked.purpose = following.purpose
        and asked.customer_number = following.customer_number
        and asked.category_number = following.category_number
left join habits
    on asked.purpose = habits.purpose and asked.customer_number = habits.customer_number and asked.category_number = habits.category_number
left join shares on asked.purpose = shares.purpose and asked.category_number = shares.category_number
left join targets
    on asked.purpose = targets.purpose and asked.customer_number = targets.customer_number and asked.category_number = targets.category_number
