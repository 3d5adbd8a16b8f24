with source as (

    select * from {{ customer_value.input_relation('campaign_contacts') }}

),

renamed as (

    {{ customer_value.input_query('campaign_contacts') }}

)

select
    -- ids
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id,
    cast(input_campaign_id as {{ dbt.type_string() }}) as campaign_id,

    -- texts
    cast(input_treatment as {{ dbt.type_string() }}) as treatment,

    -- numbers
    {{ customer_value.to_amount('input_cost') }} as cost_amount,

    -- times
    {{ customer_value.to_utc_timestamp('input_contacted_at') }} as contacted_at,
    {{ customer_value.to_utc_timestamp('input_responded_at') }} as responded_at
from renamed
