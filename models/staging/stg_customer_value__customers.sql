with source as (

    select * from {{ customer_value.input_relation('customers') }}

),

renamed as (

    {{ customer_value.input_query('customers') }}

)

select
    -- ids
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id,

    -- texts
    cast(input_acquisition_channel as {{ dbt.type_string() }}) as acquisition_channel,
    cast(input_email as {{ dbt.type_string() }}) as email,
    cast(input_name as {{ dbt.type_string() }}) as name,

    -- numbers
    {{ customer_value.to_amount('input_acquisition_cost') }} as acquisition_cost,

    -- times
    {{ customer_value.to_utc_timestamp('input_acquired_at') }} as acquired_at
from renamed
