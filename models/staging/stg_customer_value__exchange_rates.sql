with source as (

    {{ customer_value.input_rows('exchange_rates') }}

)

select
    -- texts
    upper(trim(cast(input_currency as {{ dbt.type_string() }}))) as currency,

    -- numbers; ten digits tell the rate of the smallest currency to five
    try_cast(input_rate as decimal(20, 10)) as exchange_rate,

    -- dates; a rate is that of a day, wherever its midnight was
    cast({{ customer_value.to_utc_timestamp('input_rate_date') }} as date) as rate_date,

    -- as they came, for what has to be rejected
    input_rate as raw_rate,
    input_rate_date as raw_rate_date
from source
