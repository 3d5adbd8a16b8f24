{#- What is popular is what was ordered in the last quarter. -#}
{%- set popular_days = 91 -%}

with splits as (

    select * from {{ ref('int_customer_value__category_splits') }}

),

order_categories as (

    select
        category,
        order_date,
        sum(cast(1.0 / order_category_count as decimal(18, 9))) as weight
    from {{ ref('int_customer_value__order_categories') }}
    group by category, order_date

),

weighed as (

    select
        splits.purpose,
        order_categories.category,
        sum(order_categories.weight) as weight
    from splits
    inner join order_categories
        on
            splits.split_date > order_categories.order_date
            and {{ dbt.datediff('order_categories.order_date', 'splits.split_date', 'day') }} <= {{ popular_days }}
    group by splits.purpose, order_categories.category

)

select
    purpose,
    category,
    cast(weight as {{ customer_value.type_double() }}) / cast(sum(weight) over (partition by purpose) as {{ customer_value.type_double() }})
        as shop_share,
    row_number() over (partition by purpose order by weight desc, category) as shop_rank
from weighed
