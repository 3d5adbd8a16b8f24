with tiers_assigned as (

    select * from {{ ref('int_customer_value__tiers_assigned') }}

),

customer_cltv as (

    select * from {{ ref('customer_cltv') }}

),

high_value_scoring as (

    select * from {{ ref('high_value_scoring') }}

),

changes as (

    select
        customer_id,
        valid_from_date,
        lag(tier) over (partition by customer_id order by valid_from_date) as previous_tier,
        row_number() over (partition by customer_id order by valid_from_date desc) as recency_rank
    from {{ ref('customer_tier_history') }}

)

select
    tiers_assigned.customer_id,
    tiers_assigned.tier,
    tiers_assigned.cltv_percentile,
    tiers_assigned.is_high_value,
    changes.previous_tier,
    case when changes.previous_tier is not null then cast(changes.valid_from_date as timestamp) end as tier_changed_at,
    round(high_value_scoring.high_value_probability, 9) as high_value_probability,
    customer_cltv.predicted_value,
    customer_cltv.as_of_date,
    customer_cltv.model_version,
    customer_cltv.run_id
from tiers_assigned
inner join customer_cltv on tiers_assigned.customer_id = customer_cltv.customer_id
left join high_value_scoring on tiers_assigned.customer_id = high_value_scoring.customer_id
left join changes
    on
        tiers_assigned.customer_id = changes.customer_id
        and changes.recency_rank = 1
