-- What customer_tiers calls a change of this date is what tier_movements counts, of those who were
-- customers on the date before.
with movements as (

    select
        tier_movements.from_tier,
        tier_movements.to_tier,
        tier_movements.previous_date,
        tier_movements.customer_count
    from {{ ref('tier_movements') }} as tier_movements
    inner join {{ ref('int_customer_value__run') }} as run on tier_movements.as_of_date = run.as_of_date
    where tier_movements.previous_date is not null

),

changes as (

    select
        customer_tiers.previous_tier as from_tier,
        customer_tiers.tier as to_tier,
        count(*) as customer_count
    from {{ ref('customer_tiers') }} as customer_tiers
    inner join {{ ref('prediction_history') }} as prediction_history
        on customer_tiers.customer_id = prediction_history.customer_id
    where
        customer_tiers.tier_changed_at = cast(customer_tiers.as_of_date as timestamp)
        and prediction_history.as_of_date in (select movements.previous_date from movements)
    group by customer_tiers.previous_tier, customer_tiers.tier

),

moves as (

    select * from movements
    where from_tier not in (to_tier, 'none') and to_tier <> 'none'

)

select
    coalesce(changes.from_tier, moves.from_tier) as from_tier,
    coalesce(changes.to_tier, moves.to_tier) as to_tier,
    changes.customer_count,
    moves.customer_count as moved_customer_count
from changes
full outer join moves on changes.from_tier = moves.from_tier and changes.to_tier = moves.to_tier
where
    changes.customer_count is distinct from moves.customer_count
    -- With nothing to compare with there is nothing to compare.
    and exists (select 1 from movements)
