with source as (

    {{ customer_value.input_rows('reviews') }}

)

select
    -- ids
    {{ customer_value.to_key('reviews', 'customer_id') }} as customer_id,
    {{ customer_value.to_key('reviews', 'product_id') }} as product_id,

    -- numbers
    try_cast(input_rating as decimal(9, 4)) as rating,

    -- times
    {{ customer_value.to_utc_timestamp('input_reviewed_at', customer_value.input_time_zone('reviews')) }} as reviewed_at,

    -- as they came, for what has to be rejected
    input_rating as raw_rating,
    input_reviewed_at as raw_reviewed_at
from source
