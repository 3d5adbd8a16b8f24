{#- How long a cart is looked ahead for, and how many days the out-of-time carts are of. -#}
{%- set horizon_days = 7 -%}
{%- set recent_days = 28 -%}
{%- set history_days = 365 -%}

with cart_days as (

    select * from {{ ref('int_customer_value__cart_days') }}
    where purchased_at is null

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

idle as (

    {{ customer_value.integers(1, horizon_days, 'idle_days') }}

),

-- A cart as it stood at the beginning of each day that it was idle on.
looked_at as (

    select
        cart_days.*,
        idle.idle_days,
        cast({{ customer_value.dateadd('day', 'idle.idle_days', 'cart_days.event_date') }} as date) as looked_at_date
    from cart_days
    cross join idle

),

-- What it came to is known once the horizon has passed. What the recent ones are told from had to be known before them.
judged as (

    select
        looked_at.*,
        case
            when looked_at.looked_at_date >= cast({{ customer_value.dateadd('day', -horizon_days - recent_days, 'run.as_of_date') }} as date) then 'recent'
            when looked_at.looked_at_date > cast({{ customer_value.dateadd('day', -2 * horizon_days - recent_days, 'run.as_of_date') }} as date)
                then 'between'
            else 'earlier'
        end as period,
        coalesce(
            {{ customer_value.datediff('looked_at.looked_at_date', 'looked_at.purchase_date', 'day') }} < {{ horizon_days }}, false
        ) as is_bought
    from looked_at
    cross join run
    where
        looked_at.looked_at_date <= coalesce(looked_at.next_event_date, looked_at.looked_at_date)
        and looked_at.looked_at_date <= cast({{ customer_value.dateadd('day', -horizon_days, 'run.as_of_date') }} as date)
        and looked_at.looked_at_date > cast({{ customer_value.dateadd('day', -history_days, 'run.as_of_date') }} as date)

)

select
    idle_days,
    furthest_step,
    item_band,
    has_bought_before,
    period,
    count(*) as cart_count,
    count(case when is_bought then 1 end) as bought_count
from judged
group by idle_days, furthest_step, item_band, has_bought_before, period
