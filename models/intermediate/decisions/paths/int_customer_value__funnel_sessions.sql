{%- set last_step = 5 -%}

with events as (

    select
        customer_id,
        session_key,
        funnel_step,
        event_number,
        event_at
    from {{ ref('int_customer_value__path_events') }}
    where funnel_step is not null

),

-- A step that the log never has, such as a payment that is not tracked, would end every path.
steps_seen as (

    select distinct funnel_step
    from events

),

steps_numbered as (

    select
        funnel_step,
        row_number() over (order by funnel_step) as step_number
    from steps_seen

),

step_events as (

    select
        events.customer_id,
        events.session_key,
        steps_numbered.step_number,
        events.event_number,
        events.event_at
    from events
    inner join steps_numbered on events.funnel_step = steps_numbered.funnel_step

),

reached_1 as (

    select
        customer_id,
        session_key,
        min(event_number) as event_number,
        min(event_at) as event_at
    from step_events
    where step_number = 1
    group by customer_id, session_key

)
{%- for step in range(2, last_step + 1) %},

-- The first one after the first one of the step before.
reached_{{ step }} as (

    select
        step_events.customer_id,
        step_events.session_key,
        min(step_events.event_number) as event_number,
        min(step_events.event_at) as event_at
    from step_events
    inner join reached_{{ step - 1 }} as before
        on
            step_events.customer_id = before.customer_id
            and step_events.session_key = before.session_key
            and step_events.event_number > before.event_number
    where step_events.step_number = {{ step }}
    group by step_events.customer_id, step_events.session_key

)
{%- endfor %},

ever as (

    select
        customer_id,
        session_key,
        step_number
    from step_events
    group by customer_id, session_key, step_number

),

in_order as (

    {% for step in range(1, last_step + 1) -%}
        select
            customer_id,
            session_key,
            {{ step }} as step_number,
            event_at
        from reached_{{ step }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    ever.customer_id,
    ever.session_key,
    steps_numbered.funnel_step,
    ever.step_number,
    coalesce(lag(ever.step_number) over (partition by ever.customer_id, ever.session_key order by ever.step_number), 0)
    = ever.step_number - 1 as has_step_before,
    in_order.event_at as reached_at,
    lag(in_order.event_at) over (partition by ever.customer_id, ever.session_key order by ever.step_number) as previous_reached_at
from ever
inner join steps_numbered on ever.step_number = steps_numbered.step_number
left join in_order
    on
        ever.customer_id = in_order.customer_id
        and ever.session_key = in_order.session_key
        and ever.step_number = in_order.step_number
