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

customers_numbered as (

    select
        customer_id,
        customer_number
    from {{ ref('int_customer_value__customers_numbered') }}

),

-- Whoever ordered within the window has an answer; of those a sample is asked.
in_window as (

    select distinct
        splits.purpose,
        order_categories.customer_number
    from splits
    inner join order_categories
        on
            splits.split_date <= order_categories.order_date
            and splits.window_end_date > order_categories.order_date
    where splits.purpose <> 'use'

),

counted as (

    select
        in_window.*,
        customers_numbered.customer_id,
        count(*) over (partition by in_window.purpose) as customer_count
    from in_window
    inner join customers_numbered on in_window.customer_number = customers_numbered.customer_number

),

asked as (

    select
        purpose,
        customer_number
    from counted
    where
        customer_count <= {{ most_customers }}
        or {{ customer_value.hash_fraction("customer_id || '" ~ var('random_seed') ~ "'") }} * customer_count < {{ most_customers }}

    union all

    select
        'use' as purpose,
        customer_number
    from customers_numbered

),

ordered as (

    select
        asked.purpose,
        asked.customer_number,
        order_categories.order_number,
        order_categories.category_number,
        -- A decimal, so that sums are the same in any order.
        cast(
            power(
                cast(0.5 as {{ double }}),
                {{ customer_value.datediff('order_categories.order_date', 'splits.split_date', 'day') }} / {{ half_life_days }}.0
            ) as decimal(18, 9)
        ) as recent_weight
    from asked
    inner join splits on asked.purpose = splits.purpose
    inner join order_categories
        on asked.customer_number = order_categories.customer_number and splits.split_date > order_categories.order_date

),

-- Every order once, whatever it was of.
orders as (

    select
        purpose,
        customer_number,
        order_number,
        max(recent_weight) as recent_weight
    from ordered
    group by purpose, customer_number, order_number

),

customers as (

    select
        purpose,
        customer_number,
        count(*) as order_count,
        sum(recent_weight) as recent_weight,
        max(order_number) as last_order_number
    from orders
    group by purpose, customer_number

),

summed as (

    select
        purpose,
        customer_number,
        category_number,
        count(*) as order_count,
        sum(recent_weight) as recent_weight,
        max(order_number) as last_order_number
    from ordered
    group by purpose, customer_number, category_number

)

select
    summed.purpose,
    summed.customer_number,
    summed.category_number,
    cast(summed.order_count as {{ double }}) / customers.order_count as own_rate,
    -- Of orders long ago nothing is left to nine decimals.
    coalesce(
        cast(summed.recent_weight as {{ double }}) / nullif(cast(customers.recent_weight as {{ double }}), 0),
        cast(summed.order_count as {{ double }}) / customers.order_count
    ) as recent_rate,
    summed.last_order_number = customers.last_order_number as is_in_last_order,
    row_number() over (
        partition by summed.purpose, summed.customer_number
        order by summed.recent_weight desc, summed.order_count desc, summed.category_number asc
    ) <= {{ most_own }} as is_candidate,
    case
        when customers.order_count = 1 then 'one'
        when customers.order_count < 5 then 'few'
        when customers.order_count < 10 then 'several'
        else 'many'
    end as history_band
from summed
inner join customers on summed.purpose = customers.purpose and summed.customer_number = customers.customer_number
