{%- set builds_orders = not var('inputs').get('orders') -%}
{%- set text = dbt.type_string() -%}
{%- set identifying = ['order_id', 'line_number', 'product_id', 'customer_id', 'category', 'channel', 'store'] -%}

-- Each of what is read more than once here is as long as the input, and cheaper read again than
-- written down.
with order_lines as not materialized (

    select
        *,
        coalesce(given_amount, {{ customer_value.line_amount('quantity', 'unit_price') }}) as line_amount,
        -- What makes a line itself: its number where the shop gives one, else a hash of all that it says.
        order_id || '|' || coalesce(
            line_number,
            md5(
                concat_ws(
                    '|',
                    product_id,
                    cast(quantity as {{ text }}),
                    cast(unit_price as {{ text }}),
                    cast(ordered_at as {{ text }}),
                    customer_id,
                    cast(given_amount as {{ text }}),
                    cast(discount_amount as {{ text }})
                )
            )
        ) as order_line_id
    from {{ ref('stg_customer_value__order_lines') }}

),

non_goods as (

    select product_id from {{ ref('non_goods') }}

),

erased_customers as (

    select customer_id from {{ ref('int_customer_value__customers_left_out') }}
    where reason = 'erased_customer'

),

orders_erased as (

    select * from {{ ref('int_customer_value__orders_erased') }}

),

-- The first reason that applies. A line needs a customer and a time only where orders are to be
-- built from lines; it is for goods, at a price; and below 0 it takes goods back.
judged as not materialized (

    select
        order_lines.*,
        case
            when erased_customers.customer_id is not null or orders_erased.order_id is not null then 'erased_customer'
            when order_lines.order_id is null or {{ customer_value.is_blank('order_lines.order_id') }} then 'missing_order_id'
            when {{ customer_value.is_too_long('order_lines.order_id') }} then 'order_id_too_long'
            {% if builds_orders -%}
                when order_lines.customer_id is null or {{ customer_value.is_blank('order_lines.customer_id') }} then 'missing_customer_id'
                when {{ customer_value.is_too_long('order_lines.customer_id') }} then 'customer_id_too_long'
                when {{ customer_value.is_unreadable('order_lines.ordered_at', 'order_lines.raw_ordered_at') }} then 'unparseable_ordered_at'
                when order_lines.ordered_at is null then 'missing_ordered_at'
            {% endif -%}
            when not {{ customer_value.is_plausible_time('order_lines.ordered_at') }} then 'implausible_ordered_at'
            when order_lines.ordered_at >= {{ customer_value.as_of_date_limit() }} then 'after_as_of_date'
            when order_lines.product_id is null or {{ customer_value.is_blank('order_lines.product_id') }} then 'missing_product_id'
            when {{ customer_value.is_unreadable('order_lines.quantity', 'order_lines.raw_quantity') }} then 'unparseable_quantity'
            when order_lines.quantity is null then 'missing_quantity'
            when {{ customer_value.is_unreadable('order_lines.given_amount', 'order_lines.raw_amount') }} then 'unparseable_amount'
            when {{ customer_value.is_unreadable('order_lines.unit_price', 'order_lines.raw_unit_price') }} then 'unparseable_unit_price'
            when order_lines.unit_price is null then 'missing_unit_price'
            when {{ customer_value.is_unreadable('order_lines.discount_amount', 'order_lines.raw_discount_amount') }} then 'unparseable_discount_amount'
            when {{ customer_value.is_unreadable('order_lines.cost_amount', 'order_lines.raw_cost_amount') }} then 'unparseable_cost'
            -- Both factors are there, so that their product has more digits than money has.
            when order_lines.line_amount is null then 'amount_out_of_range'
            when {{ customer_value.is_out_of_range(['order_lines.line_amount', 'order_lines.discount_amount', 'order_lines.cost_amount']) }}
                then 'amount_out_of_range'
            when non_goods.product_id is not null then 'not_goods'
            when order_lines.unit_price < 0 then 'negative_unit_price'
            when order_lines.given_amount is null and order_lines.quantity = 0 then 'zero_quantity'
            when order_lines.quantity < 0 and coalesce(order_lines.given_amount, order_lines.unit_price) = 0 then 'write_off'
            when order_lines.given_amount = 0 then 'zero_amount'
            when order_lines.given_amount is null and order_lines.unit_price = 0 then 'zero_unit_price'
            when order_lines.given_amount < 0 and order_lines.quantity >= 0 then 'negative_amount'
        end as first_reject_reason
    from order_lines
    left join non_goods on order_lines.product_id = non_goods.product_id
    left join erased_customers on order_lines.customer_id = erased_customers.customer_id
    left join orders_erased on order_lines.order_id = orders_erased.order_id

),

-- Finding the few lines that repeat by their hash costs a fraction of ranking all of them.
repeated_hashes as (

    select {{ customer_value.hash_key('order_line_id') }} as order_line_hash
    from order_lines
    where order_id is not null
    group by {{ customer_value.hash_key('order_line_id') }}
    having count(*) > 1

),

-- Copies of a line, apart from the one that is kept. Copies that differ beside their number are
-- told apart by content, so that the same one is kept every time.
copies as (

    select
        *,
        row_number() over (
            partition by order_line_id, first_reject_reason
            order by
                ordered_at desc nulls last,
                product_id asc,
                quantity asc,
                unit_price asc,
                line_amount asc,
                discount_amount asc nulls last,
                customer_id asc nulls last,
                category asc nulls last
        ) as copy_number
    from judged
    where {{ customer_value.hash_key('order_line_id') }} in (select repeated_hashes.order_line_hash from repeated_hashes)

),

numbered as (

    select * from copies
    where first_reject_reason is null

    union all

    select
        *,
        1 as copy_number
    from judged
    where
        first_reject_reason is not null
        or {{ customer_value.hash_key('order_line_id') }} not in (select repeated_hashes.order_line_hash from repeated_hashes)

),

decided as (

    select
        *,
        case when copy_number > 1 then 'duplicate_line' else first_reject_reason end as reject_reason
    from numbered

)

-- Of a customer who is erased, that a line was there is all that stays, with its amount.
select
    case when coalesce(reject_reason, '') <> 'erased_customer' then order_line_id end as order_line_id,
    {% for name in identifying -%}
        case when coalesce(reject_reason, '') <> 'erased_customer' then {{ name }} end as {{ name }},
    {% endfor -%}
    currency,
    quantity,
    unit_price,
    line_amount,
    coalesce(discount_amount, 0) as discount_amount,
    cost_amount,
    case when coalesce(reject_reason, '') <> 'erased_customer' then ordered_at end as ordered_at,
    -- As they came, of what is rejected, or may be: a cancellation of no sale that is known.
    {% for name in ['order_id', 'product_id', 'quantity', 'unit_price', 'amount', 'ordered_at'] -%}
        case
            when reject_reason is null and quantity >= 0 or reject_reason = 'erased_customer' then null
            else raw_{{ name }}
        end as raw_{{ name }},
    {% endfor -%}
    copy_number,
    reject_reason
from decided
