with source as (

    {{ customer_value.input_rows('order_lines') }}

)

select
    -- ids
    {{ customer_value.to_key('order_lines', 'order_id') }} as order_id,
    cast(input_line_number as {{ dbt.type_string() }}) as line_number,
    {{ customer_value.to_key('order_lines', 'product_id') }} as product_id,
    {{ customer_value.to_key('order_lines', 'customer_id') }} as customer_id,

    -- texts
    cast(input_category as {{ dbt.type_string() }}) as category,
    cast(input_currency as {{ dbt.type_string() }}) as currency,
    cast(input_channel as {{ dbt.type_string() }}) as channel,
    cast(input_store as {{ dbt.type_string() }}) as store,

    -- numbers; a price may have more digits than money has
    try_cast(input_quantity as decimal(18, 4)) as quantity,
    try_cast(input_unit_price as decimal(18, 4)) as unit_price,
    {{ customer_value.to_amount('input_amount') }} as given_amount,
    {{ customer_value.to_amount('input_discount_amount') }} as discount_amount,
    {{ customer_value.to_amount('input_cost') }} as cost_amount,

    -- times
    {{ customer_value.to_utc_timestamp('input_ordered_at', customer_value.input_time_zone('order_lines')) }} as ordered_at,

    -- as they came, for what has to be rejected
    input_order_id as raw_order_id,
    input_product_id as raw_product_id,
    input_quantity as raw_quantity,
    input_unit_price as raw_unit_price,
    input_amount as raw_amount,
    input_discount_amount as raw_discount_amount,
    input_cost as raw_cost_amount,
    input_ordered_at as raw_ordered_at
from source
