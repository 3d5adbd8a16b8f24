{{ config(materialized='view') }}

with events as (

    select
        events.*,
        coalesce(identities.canonical_customer_id, events.customer_id) as canonical_customer_id
    from {{ ref('stg_customer_value__events') }} as events
    left join {{ ref('int_customer_value__identities_merged') }} as identities on events.customer_id = identities.customer_id

),

customers_left_out as (

    select * from {{ ref('int_customer_value__customers_left_out') }}

),

judged as (

    select
        events.*,
        case
            {{ customer_value.customer_reject_reason('events') }}
            {{ customer_value.time_reject_reason('events', 'event_at') }}
            when events.event_name is null or {{ customer_value.is_blank('events.event_name') }} then 'missing_event_name'
        end as first_reject_reason
    from events
    left join customers_left_out on events.customer_id = customers_left_out.customer_id

),

-- Copies of a row that is usable, apart from the one that is kept.
numbered as (

    select
        *,
        row_number() over (
            partition by first_reject_reason, customer_id, event_at, event_name, session_id, product_id
            order by event_at
        ) as copy_number
    from judged

)

select
    canonical_customer_id as customer_id,
    customer_id as raw_customer_id,
    session_id,
    product_id,
    event_name,
    event_at,
    raw_event_at,
    case
        when first_reject_reason is null and copy_number > 1 then 'duplicate_event'
        else first_reject_reason
    end as reject_reason
from numbered
