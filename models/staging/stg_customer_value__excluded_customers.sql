with source as (

    select * from {{ customer_value.input_relation('excluded_customers') }}

),

renamed as (

    {{ customer_value.input_query('excluded_customers') }}

)

select
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id
from renamed
