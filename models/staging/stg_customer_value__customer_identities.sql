with source as (

    {{ customer_value.input_rows('customer_identities') }}

)

select
    {{ customer_value.to_key('customer_identities', 'customer_id') }} as customer_id,
    {{ customer_value.to_key('customer_identities', 'canonical_customer_id') }} as canonical_customer_id
from source
