with source as (

    {{ customer_value.input_rows('events') }}

)

select
    -- ids
    {{ customer_value.to_key('events', 'customer_id') }} as customer_id,
    cast(input_session_id as {{ dbt.type_string() }}) as session_id,
    {{ customer_value.to_key('events', 'product_id') }} as product_id,

    -- texts
    cast(input_event_name as {{ dbt.type_string() }}) as event_name,

    -- times
    {{ customer_value.to_utc_timestamp('input_event_at', customer_value.input_time_zone('events')) }} as event_at,

    -- as they came, for what has to be rejected
    input_event_at as raw_event_at
from source
