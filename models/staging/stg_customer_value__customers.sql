with source as (

    {{ customer_value.input_rows('customers') }}

)

select
    -- ids
    {{ customer_value.to_key('customers', 'customer_id') }} as customer_id,

    -- texts
    cast(input_acquisition_channel as {{ dbt.type_string() }}) as acquisition_channel,
    cast(input_email as {{ dbt.type_string() }}) as email,
    cast(input_name as {{ dbt.type_string() }}) as name,

    -- amounts
    {{ customer_value.to_amount('input_acquisition_cost') }} as acquisition_cost,

    -- times
    {{ customer_value.to_utc_timestamp('input_acquired_at', customer_value.input_time_zone('customers')) }} as acquired_at,

    -- as they came, for what has to be rejected
    input_acquisition_cost as raw_acquisition_cost,
    input_acquired_at as raw_acquired_at
from source
