with events as (

    select * from {{ ref('int_customer_value__path_events') }}

),

-- A path is a session, or the part of it up to a purchase or after one.
paths as (

    select distinct
        customer_id,
        session_key,
        path_number,
        path_event,
        event_role,
        -- Of a session's paths all but the last one end in a purchase, and that one where it is still to come.
        is_before_purchase
    from events

)

select
    path_event,
    max(event_role) as event_role,
    count(*) as path_count,
    count(case when is_before_purchase then 1 end) as purchase_count,
    count(distinct customer_id) as customer_count
from paths
group by path_event
