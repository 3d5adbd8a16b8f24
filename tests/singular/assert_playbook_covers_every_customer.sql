-- Every tier and band of churn risk has one row of the playbook, so that nobody is without one.
select
    tiers.tier,
    bands.churn_risk_band
from (select distinct tier from {{ ref('tier_rules') }}) as tiers
cross join (
    {% for band in ['low', 'medium', 'high'] -%}
        select '{{ band }}' as churn_risk_band
        {{ 'union all' if not loop.last }}
    {% endfor %}
) as bands
left join {{ ref('tier_playbook') }} as tier_playbook
    on tiers.tier = tier_playbook.tier and bands.churn_risk_band = tier_playbook.churn_risk_band
group by tiers.tier, bands.churn_risk_band
having count(tier_playbook.tier) <> 1

union all

select
    'all customers' as tier,
    cast(sum(customer_count) as {{ dbt.type_string() }}) as churn_risk_band
from {{ ref('tier_playbook') }}
having sum(customer_count) <> (select count(*) from {{ ref('customer_tiers') }})
