with orders as (

    select
        count(*) as order_count,
        sum(gross_amount) + sum(abs(discount_amount)) + sum(abs(refund_amount)) + sum(abs(margin_amount)) as moved_amount,
        min(order_date) as first_order_date,
        cast({{ customer_value.dateadd('day', 1, 'max(order_date)') }} as date) as day_after_last_order
    from {{ ref('orders_cleaned') }}

),

-- Orders there are, but none before the date that the run was given: the hook that checks vars
-- says so first wherever it can already read the orders.
rejected_as_later as (

    select count(*) as order_count
    from {{ ref('orders_rejected') }}
    where reject_reason = 'after_as_of_date'

),

-- Without a single order no date is better than another, and no row depends on it.
dated as (

    select
        order_count,
        moved_amount,
        first_order_date,
        coalesce({{ customer_value.as_of_date_or_null() }}, day_after_last_order, date '1970-01-01') as as_of_date
    from orders

)

-- What this run was asked for, where models of both languages can read it.
select
    dated.as_of_date,
    dated.first_order_date,
    dated.order_count,
    -- What happened more than three years ago says little of what happens next.
    least(coalesce({{ customer_value.datediff('dated.first_order_date', 'dated.as_of_date', 'day') }}, 0), 1096) as history_days,
    cast({{ var('churn_window_days') }} as {{ dbt.type_int() }}) as churn_window_days,
    -- How far value looks ahead, and the first of its periods.
    {% for name, periods in [('value_horizon_days', var('horizon_periods')), ('first_period_days', 1)] -%}
        {{ customer_value.datediff('dated.as_of_date', customer_value.period_end('dated.as_of_date', periods), 'day') }} as {{ name }},
    {% endfor -%}
    '{{ customer_value.candidate_names(var("churn_candidates")) }}' as churn_candidates,
    '{{ customer_value.candidate_names(var("spend_candidates")) }}' as spend_candidates,
    '{{ customer_value.candidate_names(var("high_value_candidates")) }}' as high_value_candidates,
    cast({{ var('backtest_origins') }} as {{ dbt.type_int() }}) as backtest_origins,
    cast({{ var('interval_level') }} as {{ customer_value.type_double() }}) as interval_level,
    cast({{ var('random_seed') }} as {{ dbt.type_bigint() }}) as random_seed,
    {{ customer_value.is_tuned() | lower }} as is_tuned,
    {{ customer_value.run_id() }} as run_id
from dated
cross join rejected_as_later
where
    case
        -- No sum of any mart is larger than this one, and all of them have as many digits as money has.
        when dated.moved_amount >= 10000000000000000
            then {{ customer_value.stop_with("the amounts of all orders add up to 10,000,000,000,000,000 or more, which is beyond what sums can hold; give them in a larger unit, such as thousands: columns: {amount: amount / 1000}.") }}
        when dated.order_count = 0 and rejected_as_later.order_count > 0
            then {{ customer_value.stop_with("as_of_date is " ~ var('as_of_date') ~ ", but every order is later; it takes a date after the first order, or null for the day after the last.") }}
        else true
    end
