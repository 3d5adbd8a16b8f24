with customer_cltv as (

    select * from {{ ref('customer_cltv') }}

),

tier_rules as (

    select * from {{ ref('tier_rules') }}

),

-- The share of customers whose predicted value is strictly lower, in percent. Ties share it, so
-- that no boundary between tiers can run through them.
ranked as (

    select
        customer_id,
        predicted_value,
        as_of_date,
        round(100.0 * (rank() over (order by predicted_value) - 1) / count(*) over (), 4) as cltv_percentile
    from customer_cltv

),

-- The first rule whose every condition holds; an empty condition always does.
matched as (

    select
        ranked.customer_id,
        ranked.as_of_date,
        ranked.cltv_percentile,
        min(tier_rules.tier_rank) as tier_rank
    from ranked
    inner join tier_rules
        on
            ranked.cltv_percentile >= coalesce(tier_rules.minimum_cltv_percentile, 0)
            and (
                tier_rules.minimum_predicted_value is null
                or ranked.predicted_value >= tier_rules.minimum_predicted_value
            )
    group by ranked.customer_id, ranked.as_of_date, ranked.cltv_percentile

)

select
    matched.customer_id,
    matched.as_of_date,
    matched.cltv_percentile,
    tier_rules.tier,
    tier_rules.is_high_value
from matched
inner join tier_rules on matched.tier_rank = tier_rules.tier_rank
