{#- Newer than so many days is recent: compared with what was before, and predicted from it. -#}
{%- set recent_days = 28 -%}

with run as (

    select
        *,
        cast({{ customer_value.dateadd('day', -recent_days, 'as_of_date') }} as date) as recent_from_date
    from {{ ref('int_customer_value__run') }}

),

events as (

    select * from {{ ref('int_customer_value__path_events') }}

),

sessions as (

    select * from {{ ref('int_customer_value__path_sessions') }}

),

-- Each event after the two before it. A session begins after what the last one of the customer ended with.
steps as (

    select
        case
            when events.previous_event is null then coalesce(sessions.last_event_of_previous, '(never)')
            else coalesce(events.event_before_previous, '(start)')
        end as event_before,
        coalesce(events.previous_event, '(start)') as from_event,
        events.path_event as to_event,
        events.event_date,
        events.is_before_purchase
    from events
    left join sessions
        on
            events.event_number = 1
            and events.customer_id = sessions.customer_id
            and events.session_key = sessions.session_key

    union all

    select
        coalesce(event_before_last, '(start)') as event_before,
        last_event as from_event,
        '(exit)' as to_event,
        {{ customer_value.reporting_date('ended_at') }} as event_date,
        false as is_before_purchase
    from sessions
    where not is_open

)

select
    steps.event_before,
    steps.from_event,
    steps.to_event,
    steps.event_date >= run.recent_from_date as is_recent,
    count(*) as transition_count,
    count(case when steps.is_before_purchase then 1 end) as purchase_count
from steps
cross join run
group by steps.event_before, steps.from_event, steps.to_event, steps.event_date >= run.recent_from_date
