with source as (

    select * from {{ customer_value.input_relation('reviews') }}

),

renamed as (

    {{ customer_value.input_query('reviews') }}

)

select
    -- ids
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id,
    cast(input_product_id as {{ dbt.type_string() }}) as product_id,

    -- numbers
    try_cast(input_rating as decimal(9, 4)) as rating,

    -- times
    {{ customer_value.to_utc_timestamp('input_reviewed_at') }} as reviewed_at
from renamed
