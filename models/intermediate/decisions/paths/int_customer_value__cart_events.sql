{#- Without any event of a cart for so long, what comes next is another one. -#}
{%- set cart_days = 7 -%}
{%- set in_order -%}
partition by customer_id order by event_at, session_key, event_number
{%- endset -%}

with events as (

    select * from {{ ref('int_customer_value__path_events') }}
    where event_role in ('cart_add', 'cart_remove', 'checkout', 'payment', 'purchase')

),

with_previous as (

    select
        *,
        lag(event_at) over ({{ in_order }}) as previous_event_at,
        lag(event_role) over ({{ in_order }}) as previous_role
    from events

),

in_spans as (

    select
        *,
        sum(
            case
                when previous_role is null or previous_role = 'purchase' then 1
                when event_at > {{ customer_value.dateadd('day', cart_days, 'previous_event_at') }} then 1
                else 0
            end
        ) over ({{ in_order }} rows between unbounded preceding and current row) as span_number
    from with_previous

),

-- A purchase without anything put into a cart, at a click, is none.
carts as (

    select
        customer_id,
        span_number,
        row_number() over (partition by customer_id order by span_number) as cart_number
    from in_spans
    where event_role = 'cart_add'
    group by customer_id, span_number

)

select
    in_spans.customer_id,
    carts.cart_number,
    in_spans.session_key,
    in_spans.event_number,
    in_spans.event_at,
    in_spans.event_date,
    in_spans.event_role,
    in_spans.funnel_step,
    in_spans.product_id
from in_spans
inner join carts on in_spans.customer_id = carts.customer_id and in_spans.span_number = carts.span_number
