with source as (

    {{ customer_value.input_rows('campaign_contacts') }}

)

select
    -- ids
    {{ customer_value.to_key('campaign_contacts', 'customer_id') }} as customer_id,
    cast(input_campaign_id as {{ dbt.type_string() }}) as campaign_id,

    -- texts
    cast(input_treatment as {{ dbt.type_string() }}) as treatment,

    -- amounts
    {{ customer_value.to_amount('input_cost') }} as cost_amount,

    -- times
    {{ customer_value.to_utc_timestamp('input_contacted_at', customer_value.input_time_zone('campaign_contacts')) }} as contacted_at,
    {{ customer_value.to_utc_timestamp('input_responded_at', customer_value.input_time_zone('campaign_contacts')) }} as responded_at,

    -- as they came, for what has to be rejected
    input_cost as raw_cost_amount,
    input_contacted_at as raw_contacted_at,
    input_responded_at as raw_responded_at
from source
