{%- set cart_days = 7 -%}
{%- set date_began_at = customer_value.to_utc_timestamp('cast(run.as_of_date as timestamp)', "'" ~ var('reporting_time_zone') ~ "'") -%}

with events as (

    select * from {{ ref('int_customer_value__cart_events') }}

),

cart_days as (

    select * from {{ ref('int_customer_value__cart_days') }}

),

scores as (

    select * from {{ ref('cart_scoring') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- How each cart stands at its last day.
latest as (

    select * from cart_days
    where next_event_date is null

),

in_carts as (

    select
        customer_id,
        cart_number,
        product_id,
        sum(case event_role when 'cart_add' then 1 else -1 end) as item_count
    from events
    where event_role in ('cart_add', 'cart_remove')
    group by customer_id, cart_number, product_id

),

-- Of the products that are in a cart, what they were sold for last.
sales as (

    select
        order_lines.product_id,
        order_lines.unit_price,
        orders.ordered_at
    from {{ ref('order_lines_cleaned') }} as order_lines
    inner join {{ ref('orders_cleaned') }} as orders on order_lines.order_id = orders.order_id
    where
        order_lines.line_kind = 'sale'
        and order_lines.product_id in (select in_carts.product_id from in_carts)

),

last_sales as (

    select
        product_id,
        max(ordered_at) as ordered_at
    from sales
    group by product_id

),

prices as (

    select
        sales.product_id,
        max(sales.unit_price) as unit_price
    from sales
    inner join last_sales on sales.product_id = last_sales.product_id and sales.ordered_at = last_sales.ordered_at
    group by sales.product_id

),

-- Known where the price of everything in the cart is.
contents as (

    select
        in_carts.customer_id,
        in_carts.cart_number,
        count(distinct case when in_carts.item_count > 0 then in_carts.product_id end) as product_count,
        case
            when count(case when in_carts.item_count > 0 and prices.unit_price is null then 1 end) = 0
                then sum(greatest(in_carts.item_count, 0) * prices.unit_price)
        end as cart_amount
    from in_carts
    left join prices on in_carts.product_id = prices.product_id
    group by in_carts.customer_id, in_carts.cart_number

),

began as (

    select
        customer_id,
        cart_number,
        min(case when event_role = 'cart_add' then event_at end) as started_at
    from events
    group by customer_id, cart_number

),

judged as (

    select
        latest.*,
        began.started_at,
        contents.product_count,
        contents.cart_amount,
        {{ customer_value.datediff('latest.event_date', 'run.as_of_date', 'day') }} as idle_days,
        case
            when latest.purchased_at is not null then 'bought'
            when latest.item_count = 0 then 'emptied'
            when {{ customer_value.datediff('latest.event_date', 'run.as_of_date', 'day') }} <= {{ cart_days }} then 'open'
            else 'left'
        end as cart_status,
        floor({{ customer_value.datediff('latest.last_activity_at', date_began_at, 'minute') }} / 60.0) as idle_hours,
        run.as_of_date,
        run.run_id
    from latest
    inner join began on latest.customer_id = began.customer_id and latest.cart_number = began.cart_number
    inner join contents on latest.customer_id = contents.customer_id and latest.cart_number = contents.cart_number
    cross join run

)

select
    judged.customer_id,
    cast(judged.cart_number as {{ dbt.type_bigint() }}) as cart_number,
    judged.started_at,
    judged.last_activity_at,
    judged.purchased_at,
    judged.cart_status,
    judged.cart_status = 'bought' as is_converted,
    cast(judged.furthest_step as {{ dbt.type_int() }}) as furthest_step,
    cast(judged.item_count as {{ dbt.type_bigint() }}) as item_count,
    cast(judged.product_count as {{ dbt.type_bigint() }}) as product_count,
    cast(judged.cart_amount as {{ customer_value.type_amount() }}) as cart_amount,
    judged.has_bought_before,
    case when judged.cart_status = 'open' then cast(judged.idle_hours as {{ dbt.type_bigint() }}) end as hours_since_activity,
    case when judged.cart_status = 'open' then round(scores.purchase_probability, 9) end as purchase_probability,
    judged.as_of_date,
    judged.run_id
from judged
left join scores
    on
        judged.idle_days = scores.idle_days
        and judged.furthest_step = scores.furthest_step
        and judged.item_band = scores.item_band
        and judged.has_bought_before = scores.has_bought_before
