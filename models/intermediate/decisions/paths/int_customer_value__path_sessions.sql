with events as (

    select * from {{ ref('int_customer_value__path_events') }}

),

customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- What it began with, and ended with, is known of its first and last event.
sessions as (

    select
        customer_id,
        session_key,
        min(event_at) as started_at,
        min(event_date) as start_date,
        max(event_at) as ended_at,
        count(*) as event_count,
        max(case when is_last_of_session then path_event end) as last_event,
        max(case when is_last_of_session then previous_event end) as event_before_last,
        bool_or(is_open) as is_open
    from events
    group by customer_id, session_key

),

in_sequence as (

    select
        *,
        lag(last_event) over (partition by customer_id order by started_at, session_key) as last_event_of_previous,
        lead(session_key) over (partition by customer_id order by started_at, session_key) is null as is_latest,
        min(start_date) over (partition by customer_id) as first_event_date
    from sessions

)

select
    in_sequence.customer_id,
    in_sequence.session_key,
    in_sequence.started_at,
    in_sequence.start_date,
    in_sequence.ended_at,
    in_sequence.event_count,
    in_sequence.last_event,
    in_sequence.event_before_last,
    in_sequence.last_event_of_previous,
    in_sequence.is_open,
    in_sequence.is_latest,
    -- Known by an event or by an order, whichever came first.
    {{ customer_value.datediff(
        'least(in_sequence.first_event_date, coalesce(' ~ customer_value.reporting_date('customers.first_ordered_at') ~ ', in_sequence.first_event_date))',
        'in_sequence.start_date',
        'day'
    ) }} as known_days,
    run.as_of_date
from in_sequence
cross join run
left join customers on in_sequence.customer_id = customers.customer_id
