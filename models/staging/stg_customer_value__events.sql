with source as (

    select * from {{ customer_value.input_relation('events') }}

),

renamed as (

    {{ customer_value.input_query('events') }}

)

select
    -- ids
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id,
    cast(input_session_id as {{ dbt.type_string() }}) as session_id,
    cast(input_product_id as {{ dbt.type_string() }}) as product_id,

    -- texts
    cast(input_event_name as {{ dbt.type_string() }}) as event_name,

    -- times
    {{ customer_value.to_utc_timestamp('input_event_at') }} as event_at
from renamed
