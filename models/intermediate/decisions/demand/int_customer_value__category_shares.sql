{#- What is popular is what was ordered in the last quarter. -#}
{%- set popular_days = 91 -%}

with splits as (

    select * from {{ ref('int_customer_value__category_splits') }}

),

order_categories as (

    select * from {{ ref('int_customer_value__order_categories') }}

),

-- Under no category stand all orders of the day.
by_day as (

    select
        category_number,
        order_date,
        count(*) as order_count
    from order_categories
    group by category_number, order_date

    union all

    select
        cast(null as {{ dbt.type_int() }}) as category_number,
        order_date,
        count(distinct basket_number) as order_count
    from order_categories
    group by order_date

),

summed as (

    select
        splits.purpose,
        by_day.category_number,
        sum(by_day.order_count) as order_count
    from splits
    inner join by_day
        on
            splits.split_date > by_day.order_date
            and {{ customer_value.datediff('by_day.order_date', 'splits.split_date', 'day') }} <= {{ popular_days }}
    group by splits.purpose, by_day.category_number

),

totalled as (

    select
        *,
        max(case when category_number is null then order_count end) over (partition by purpose) as all_order_count
    from summed

)

select
    purpose,
    category_number,
    cast(order_count as {{ customer_value.type_double() }}) / all_order_count as shop_rate,
    row_number() over (partition by purpose order by order_count desc, category_number asc) as shop_rank
from totalled
where category_number is not null
