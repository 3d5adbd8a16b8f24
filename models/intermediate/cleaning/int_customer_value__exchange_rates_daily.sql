with exchange_rates as (

    select * from {{ ref('int_customer_value__exchange_rates_checked') }}
    where reject_reason is null

),

-- A rate holds until the next one, but for no longer than exchange_rate_max_age_days: a rate
-- that nobody has looked at since is none.
dated as (

    select
        currency,
        rate_date,
        exchange_rate,
        lead(rate_date) over (partition by currency order by rate_date) as next_rate_date
    from exchange_rates

),

ages as (

    {{ customer_value.integers(0, var('exchange_rate_max_age_days') | string, 'age_days') }}

)

select
    dated.currency,
    cast({{ customer_value.dateadd('day', 'ages.age_days', 'dated.rate_date') }} as date) as order_date,
    dated.exchange_rate
from dated
cross join ages
where
    dated.next_rate_date is null
    or {{ customer_value.dateadd('day', 'ages.age_days', 'dated.rate_date') }} < dated.next_rate_date
