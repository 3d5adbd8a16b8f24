{%- set double = customer_value.type_double() -%}

with held_out_scoring as (

    select * from {{ ref('held_out_scoring') }}

),

tier_rules as (

    select * from {{ ref('tier_rules') }}

),

-- Tiers as int_customer_value__tiers_assigned has them, by what was predicted then.
ranked as (

    select
        *,
        round(100.0 * (rank() over (order by predicted_net_amount) - 1) / count(*) over (), 4) as cltv_percentile
    from held_out_scoring

),

matched as (

    select
        ranked.customer_id,
        min(tier_rules.tier_rank) as tier_rank
    from ranked
    inner join tier_rules
        on
            ranked.cltv_percentile >= coalesce(tier_rules.minimum_cltv_percentile, 0)
            and (
                tier_rules.minimum_predicted_value is null
                or ranked.predicted_net_amount >= tier_rules.minimum_predicted_value
            )
    group by ranked.customer_id

),

held_out as (

    select
        ranked.*,
        tier_rules.tier,
        case
            when
                ranked.actual_net_amount >= ranked.predicted_net_amount_lower
                and ranked.actual_net_amount <= ranked.predicted_net_amount_upper
                then 1
            else 0
        end as is_within
    from ranked
    inner join matched on ranked.customer_id = matched.customer_id
    inner join tier_rules on matched.tier_rank = tier_rules.tier_rank

),

counted as (

    {% for tier in ["'all'", "tier"] -%}
        select
            {{ tier }} as tier,
            as_of_date as origin_date,
            value_horizon_days as horizon_days,
            interval_level,
            count(*) as customer_count,
            sum(is_within) as covered_count,
            sum(case when actual_net_amount < predicted_net_amount_lower then 1 else 0 end) as below_count,
            sum(case when actual_net_amount > predicted_net_amount_upper then 1 else 0 end) as above_count
        from held_out
        group by {{ tier ~ ', ' if tier == 'tier' }}as_of_date, value_horizon_days, interval_level
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

rated as (

    select
        *,
        cast(covered_count as {{ double }}) / customer_count as covered_rate,
        -- A customer, and three standard deviations of the count of those within: chance takes more
        -- from it once in 700 times, and none of the one customer of a small tier.
        1 + 3 * sqrt(interval_level * (1 - interval_level) * customer_count) as by_chance
    from counted

)

-- With the interval of Wilson (1927), of two standard errors: it holds near 0 and 1 too.
select
    cast(rated.tier as {{ dbt.type_string() }}) as tier,
    cast(rated.origin_date as date) as origin_date,
    cast(rated.horizon_days as {{ dbt.type_int() }}) as horizon_days,
    cast(rated.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    rated.interval_level,
    round(rated.covered_rate, 9) as covered_rate,
    {% for end, sign in [('lower', '-'), ('upper', '+')] -%}
        round(
            (
                rated.covered_rate + 2.0 / rated.customer_count
                {{ sign }} 2 * sqrt(
                    (rated.covered_rate * (1 - rated.covered_rate) + 1.0 / rated.customer_count) / rated.customer_count
                )
            ) / (1 + 4.0 / rated.customer_count),
            9
        ) as covered_rate_{{ end }},
    {% endfor -%}
    round(cast(rated.below_count as {{ double }}) / rated.customer_count, 9) as below_rate,
    round(cast(rated.above_count as {{ double }}) / rated.customer_count, 9) as above_rate,
    rated.covered_count < rated.interval_level * rated.customer_count - rated.by_chance as is_too_low,
    run.as_of_date,
    run.run_id
from rated
cross join {{ ref('int_customer_value__run') }} as run
