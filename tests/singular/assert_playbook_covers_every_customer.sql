-- Every tier and band of churn risk has one row of the playbook, so that nobody is without one.
with tiers as (

    select distinct tier from {{ ref('tier_rules') }}

),

bands as (

    {% for band in ['low', 'medium', 'high'] -%}
        select '{{ band }}' as churn_risk_band
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

playbook as (

    select * from {{ ref('tier_playbook') }}

),

customers as (

    select count(*) as customer_count from {{ ref('customer_tiers') }}

)

select
    tiers.tier,
    bands.churn_risk_band
from tiers
cross join bands
left join playbook on tiers.tier = playbook.tier and bands.churn_risk_band = playbook.churn_risk_band
group by tiers.tier, bands.churn_risk_band
having count(playbook.tier) <> 1

union all

select
    'all tiers' as tier,
    'all bands' as churn_risk_band
from playbook
cross join customers
group by customers.customer_count
having sum(playbook.customer_count) <> customers.customer_count
