with source as (

    {{ customer_value.input_rows('orders') }}

)

select
    -- ids
    {{ customer_value.to_key('orders', 'order_id') }} as order_id,
    {{ customer_value.to_key('orders', 'customer_id') }} as customer_id,
    {{ customer_value.to_key('orders', 'refunded_order_id') }} as refunded_order_id,

    -- texts
    cast(input_status as {{ dbt.type_string() }}) as status,
    cast(input_currency as {{ dbt.type_string() }}) as currency,
    cast(input_channel as {{ dbt.type_string() }}) as channel,
    cast(input_store as {{ dbt.type_string() }}) as store,

    -- amounts
    {{ customer_value.to_amount('input_amount') }} as gross_amount,
    {{ customer_value.to_amount('input_discount_amount') }} as discount_amount,
    {{ customer_value.to_amount('input_refund_amount') }} as refund_amount,
    {{ customer_value.to_amount('input_cost_amount') }} as cost_amount,

    -- times
    {{ customer_value.to_utc_timestamp('input_ordered_at', customer_value.input_time_zone('orders')) }} as ordered_at,
    {{ customer_value.to_utc_timestamp('input_refunded_at', customer_value.input_time_zone('orders')) }} as refunded_at,
    {{ customer_value.to_utc_timestamp('input_updated_at', customer_value.input_time_zone('orders')) }} as updated_at,

    -- as they came, for what has to be rejected: as text only there, since to format every
    -- time and amount costs more than all the cleaning
    input_order_id as raw_order_id,
    input_ordered_at as raw_ordered_at,
    input_amount as raw_amount,
    input_discount_amount as raw_discount_amount,
    input_refund_amount as raw_refund_amount,
    input_cost_amount as raw_cost_amount,
    input_refunded_at as raw_refunded_at,
    input_updated_at as raw_updated_at
from source
