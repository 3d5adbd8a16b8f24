with latest as (

    select
        customer_id,
        tier,
        row_number() over (partition by customer_id order by valid_from_date desc) as recency_rank
    from {{ ref('customer_tier_history') }}

)

select
    customer_tiers.customer_id,
    customer_tiers.tier,
    latest.tier as tier_in_history
from {{ ref('customer_tiers') }} as customer_tiers
left join latest
    on
        customer_tiers.customer_id = latest.customer_id
        and latest.recency_rank = 1
where latest.tier is null or latest.tier <> customer_tiers.tier
