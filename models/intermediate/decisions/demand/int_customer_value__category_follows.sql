{#- What follows what is the same for all customers, and so many of them tell it. -#}
{%- set most_customers = 20000 -%}

with splits as (

    select * from {{ ref('int_customer_value__category_splits') }}

),

order_categories as (

    select * from {{ ref('int_customer_value__order_categories') }}

),

customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

counted as (

    select
        customer_id,
        count(*) over () as customer_count
    from customers

),

sampled as (

    select order_categories.*
    from order_categories
    inner join counted on order_categories.customer_id = counted.customer_id
    where
        counted.customer_count <= {{ most_customers }}
        or {{ customer_value.hash_fraction("counted.customer_id || '" ~ var('random_seed') ~ "'") }} * counted.customer_count
        < {{ most_customers }}

),

-- Every order counts once, spread over its categories and those of the next: exact, since sums are of decimals.
pairs as (

    select
        sampled.category as from_category,
        following.category as to_category,
        following.order_date,
        sum(
            cast(1.0 / (sampled.order_category_count * following.order_category_count) as decimal(18, 9))
        ) as weight
    from sampled
    inner join sampled as following
        on sampled.customer_id = following.customer_id and sampled.order_number + 1 = following.order_number
    group by sampled.category, following.category, following.order_date

)

select
    splits.purpose,
    pairs.from_category,
    pairs.to_category,
    sum(pairs.weight) as weight,
    sum(sum(pairs.weight)) over (partition by splits.purpose, pairs.from_category) as from_weight,
    row_number() over (
        partition by splits.purpose, pairs.from_category order by sum(pairs.weight) desc, pairs.to_category
    ) as follow_rank
from pairs
inner join splits on pairs.order_date < splits.split_date
group by splits.purpose, pairs.from_category, pairs.to_category
