{%- set double = customer_value.type_double() -%}
{%- set windows = [('day', 1), ('week', 7)] -%}
{#- Rarer than so among the days on which somebody ordered. -#}
{%- set unusual_share = 0.0001 -%}

with orders as (

    select * from {{ ref('orders_cleaned') }}

),

days as (

    select
        customer_id,
        order_date,
        count(*) as order_count,
        max(order_number) as last_order_number,
        {{ customer_value.datediff("cast('2000-01-01' as date)", 'order_date', 'day') }} as day_number
    from orders
    group by customer_id, order_date

),

paced as (

    select
        customer_id,
        order_date,
        last_order_number,
        order_count as day_order_count,
        sum(order_count) over (
            partition by customer_id order by day_number range between 6 preceding and current row
        ) as week_order_count,
        -- Every order that the customer placed up to this day is numbered.
        last_order_number as orders_so_far,
        day_number - min(day_number) over (partition by customer_id) as days_before
    from days

),

-- Orders per day, after the first one, of all customers together.
pace as (

    select
        cast(sum(customers.order_count - 1) + 1 as {{ double }})
        / cast(sum(customers.tenure_days) + 1 as {{ double }}) as orders_per_day
    from {{ ref('customer_value', 'customers') }} as customers

),

windowed as (

    {% for name, window_days in windows -%}
        select
            '{{ name }}' as burst_window,
            {{ window_days }} as window_days,
            customer_id,
            order_date,
            last_order_number,
            {{ name }}_order_count as window_order_count,
            orders_so_far - {{ name }}_order_count as orders_before,
            greatest(days_before - {{ window_days - 1 }}, 0) as days_before
        from paced
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- On how many of the days with an order it is the second one, and the third, within the window.
counted as (

    select
        burst_window,
        count(*) as day_count,
        count(*) filter (where window_order_count >= 2) as second_count,
        count(*) filter (where window_order_count >= 3) as third_count
    from windowed
    group by burst_window

),

habits as (

    select
        burst_window,
        cast(second_count as {{ double }}) / day_count as second_share,
        cast(third_count as {{ double }}) / greatest(second_count, 1) as further_share
    from counted
    -- Of fewer, nothing can be said of what is rare.
    where day_count >= 200

),

-- What the customer's own rhythm before the window lets expect of it: one order at the shop's pace is
-- added to it, so that of somebody new it is the shop's.
expected as (

    select
        windowed.*,
        habits.second_share,
        habits.further_share,
        windowed.window_days * (windowed.orders_before + 1) / (windowed.days_before + 1 / pace.orders_per_day) as further_orders
    from windowed
    inner join habits on windowed.burst_window = habits.burst_window
    cross join pace
    where windowed.window_order_count >= 3

),

-- The chance of so many further ones, by a geometric distribution: a Poisson one whose rate is no
-- better known than by its mean. Each of its two factors is the shop's, or the customer's own where
-- that is higher.
judged as (

    select
        *,
        greatest(second_share, further_orders / (1 + further_orders))
        * power(
            greatest(further_share, second_share, further_orders / (1 + further_orders)),
            cast(window_order_count as {{ double }}) - 2
        ) as tail_probability
    from expected

),

-- One row for each day, of the window that it stands out in most.
unusual_days as (

    select *
    from judged
    where tail_probability <= {{ unusual_share }}
    qualify row_number() over (
        partition by customer_id, order_date
        order by tail_probability, window_days
    ) = 1

),

-- Once for each burst: not again within the week that its orders are still counted in.
bursts as (

    select *
    from unusual_days
    qualify coalesce({{ customer_value.datediff(
        'lag(order_date) over (partition by customer_id order by order_date)', 'order_date', 'day'
    ) }} > 6, true)

)

-- It stands at the last order of its day.
select
    orders.order_id,
    bursts.customer_id,
    bursts.order_date,
    'burst' as anomaly_kind,
    cast(bursts.window_order_count as {{ double }}) as observed_figure,
    1 + bursts.further_orders as expected_figure,
    bursts.burst_window,
    cast(bursts.orders_before as {{ dbt.type_bigint() }}) as orders_before,
    bursts.tail_probability
from bursts
inner join orders
    on
        bursts.customer_id = orders.customer_id
        and bursts.last_order_number = orders.order_number
