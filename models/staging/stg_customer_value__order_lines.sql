with source as (

    select * from {{ customer_value.input_relation('order_lines') }}

),

renamed as (

    {{ customer_value.input_query('order_lines') }}

)

select
    -- ids
    cast(input_order_id as {{ dbt.type_string() }}) as order_id,
    cast(input_line_number as {{ dbt.type_string() }}) as line_number,
    cast(input_product_id as {{ dbt.type_string() }}) as product_id,
    cast(input_customer_id as {{ dbt.type_string() }}) as customer_id,

    -- texts
    cast(input_category as {{ dbt.type_string() }}) as category,
    cast(input_currency as {{ dbt.type_string() }}) as currency,
    cast(input_channel as {{ dbt.type_string() }}) as channel,
    cast(input_store as {{ dbt.type_string() }}) as store,

    -- numbers; a price may have more digits than money has
    try_cast(input_quantity as decimal(18, 4)) as quantity,
    try_cast(input_unit_price as decimal(18, 4)) as unit_price,
    {{ customer_value.to_amount('input_cost') }} as cost_amount,

    -- times
    {{ customer_value.to_utc_timestamp('input_ordered_at') }} as ordered_at,

    -- as they came, for what has to be rejected
    input_quantity as raw_quantity,
    input_unit_price as raw_unit_price,
    input_cost as raw_cost_amount,
    input_ordered_at as raw_ordered_at
from renamed
