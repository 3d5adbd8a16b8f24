with source as (

    {{ customer_value.input_rows('refunds') }}

)

select
    -- ids
    cast(input_refund_id as {{ dbt.type_string() }}) as refund_id,
    {{ customer_value.to_key('refunds', 'order_id') }} as order_id,

    -- texts
    cast(input_currency as {{ dbt.type_string() }}) as currency,

    -- amounts
    {{ customer_value.to_amount('input_amount') }} as refund_amount,

    -- times
    {{ customer_value.to_utc_timestamp('input_refunded_at', customer_value.input_time_zone('refunds')) }} as refunded_at,

    -- as they came, for what has to be rejected
    input_order_id as raw_order_id,
    input_amount as raw_amount,
    input_refunded_at as raw_refunded_at
from source
