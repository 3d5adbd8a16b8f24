-- Whoever moves or stays is in a tier at the end: the movements of this run add up to its tiers.
with movements as (

    select
        tier_movements.to_tier as tier,
        sum(tier_movements.customer_count) as customer_count,
        sum(tier_movements.predicted_value) as predicted_value
    from {{ ref('tier_movements') }} as tier_movements
    inner join {{ ref('int_customer_value__run') }} as run on tier_movements.as_of_date = run.as_of_date
    where tier_movements.to_tier <> 'none'
    group by tier_movements.to_tier

),

tiers as (

    select
        tier,
        count(*) as customer_count,
        sum(predicted_value) as predicted_value
    from {{ ref('customer_tiers') }}
    group by tier

)

select
    coalesce(tiers.tier, movements.tier) as tier,
    tiers.customer_count,
    movements.customer_count as moved_customer_count,
    tiers.predicted_value,
    movements.predicted_value as moved_predicted_value
from tiers
full outer join movements on tiers.tier = movements.tier
where
    tiers.customer_count is distinct from movements.customer_count
    or tiers.predicted_value is distinct from movements.predicted_value
