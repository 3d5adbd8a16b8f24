with source as (

    {{ customer_value.input_rows('excluded_customers') }}

)

select {{ customer_value.to_key('excluded_customers', 'customer_id') }} as customer_id
from source
