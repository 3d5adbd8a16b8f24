with exchange_rates as (

    select * from {{ ref('stg_customer_value__exchange_rates') }}

),

judged as (

    select
        *,
        case
            when currency is null or {{ customer_value.is_blank('currency') }} then 'missing_currency'
            when {{ customer_value.is_unreadable('rate_date', 'raw_rate_date') }} then 'unparseable_rate_date'
            when rate_date is null then 'missing_rate_date'
            -- A rate holds for some days, and beyond the last day there is none to hold for.
            when not {{ customer_value.is_plausible_time('rate_date') }} then 'implausible_rate_date'
            when {{ customer_value.is_unreadable('exchange_rate', 'raw_rate') }} then 'unparseable_rate'
            when exchange_rate is null then 'missing_rate'
            when exchange_rate <= 0 then 'implausible_rate'
        end as first_reject_reason
    from exchange_rates

),

-- Two rates of one day: the higher is kept, since one of them has to be, and always the same.
numbered as (

    select
        *,
        row_number() over (partition by currency, rate_date, first_reject_reason order by exchange_rate desc) as rate_rank
    from judged

)

select
    currency,
    rate_date,
    exchange_rate,
    raw_rate_date,
    raw_rate,
    case
        when first_reject_reason is null and rate_rank > 1 then 'duplicate_rate'
        else first_reject_reason
    end as reject_reason
from numbered
