{%- set double = customer_value.type_double() -%}
{#- An order counts half after so many days in what is recent; that many customers tell how to weigh it. -#}
{%- set half_life_days = 28 -%}
{%- set most_customers = 20000 -%}
{#- Of a customer's own categories, so many are candidates for the next. -#}
{%- set most_own = 10 -%}

with splits as (

    select * from {{ ref('int_customer_value__category_splits') }}

),

order_categories as (

    select * from {{ ref('int_customer_value__order_categories') }}

),

-- Whoever ordered within the window has an answer; of those a sample is asked.
in_window as (

    select
        splits.purpose,
        order_categories.customer_id,
        min(order_categories.order_number) as next_order_number
    from splits
    inner join order_categories
        on
            splits.split_date <= order_categories.order_date
            and splits.window_end_date > order_categories.order_date
    where splits.purpose <> 'use'
    group by splits.purpose, order_categories.customer_id

),

counted as (

    select
        *,
        count(*) over (partition by purpose) as customer_count
    from in_window

),

asked as (

    select
        purpose,
        customer_id
    from counted
    where
        customer_count <= {{ most_customers }}
        or {{ customer_value.hash_fraction("customer_id || '" ~ var('random_seed') ~ "'") }} * customer_count < {{ most_customers }}

    union all

    select
        'use' as purpose,
        customer_id
    from {{ ref('customer_value', 'customers') }}

),

-- Decimals, so that sums are the same in any order.
weighed as (

    select
        asked.purpose,
        asked.customer_id,
        order_categories.category,
        order_categories.order_number,
        cast(1.0 / order_categories.order_category_count as decimal(18, 9)) as weight,
        cast(
            power(
                cast(0.5 as {{ double }}),
                {{ dbt.datediff('order_categories.order_date', 'splits.split_date', 'day') }} / {{ half_life_days }}.0
            ) / order_categories.order_category_count as decimal(18, 9)
        ) as recent_weight
    from asked
    inner join splits on asked.purpose = splits.purpose
    inner join order_categories
        on asked.customer_id = order_categories.customer_id and splits.split_date > order_categories.order_date

),

summed as (

    select
        purpose,
        customer_id,
        category,
        sum(weight) as weight,
        sum(recent_weight) as recent_weight,
        max(order_number) as last_order_number
    from weighed
    group by purpose, customer_id, category

),

totals as (

    select
        *,
        sum(weight) over (partition by purpose, customer_id) as order_weight,
        sum(recent_weight) over (partition by purpose, customer_id) as recent_order_weight,
        max(last_order_number) over (partition by purpose, customer_id) as customer_last_order_number,
        row_number() over (
            partition by purpose, customer_id order by recent_weight desc, weight desc, category
        ) as own_rank
    from summed

)

select
    purpose,
    customer_id,
    category,
    cast(weight as {{ double }}) / cast(order_weight as {{ double }}) as own_share,
    -- Of an order long ago nothing is left to nine decimals.
    coalesce(
        cast(recent_weight as {{ double }}) / nullif(cast(recent_order_weight as {{ double }}), 0),
        cast(weight as {{ double }}) / cast(order_weight as {{ double }})
    ) as recent_share,
    last_order_number = customer_last_order_number as is_in_last_order,
    own_rank <= {{ most_own }} as is_candidate,
    case
        when order_weight < 1.5 then 'one'
        when order_weight < 4.5 then 'few'
        when order_weight < 9.5 then 'several'
        else 'many'
    end as history_band
from totals
