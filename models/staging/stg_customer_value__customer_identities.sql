with source as (

    select * from {{ customer_value.input_relation('customer_identities') }}

),

renamed as (

    {{ customer_value.input_query('customer_identities') }}

)

select
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id,
    cast(input_canonical_customer_id as {{ dbt.type_string() }}) as canonical_customer_id
from renamed
