with playbook as (

    select * from {{ ref('playbook') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

cells as (

    select
        customer_tiers.tier,
        customer_churn.churn_risk_band,
        count(*) as customer_count,
        sum(customer_tiers.predicted_value) as predicted_value,
        sum(cast(customer_churn.churn_probability as decimal(18, 9))) as churn_probability
    from {{ ref('customer_tiers') }} as customer_tiers
    inner join {{ ref('customer_churn') }} as customer_churn on customer_tiers.customer_id = customer_churn.customer_id
    group by customer_tiers.tier, customer_churn.churn_risk_band

)

-- Every cell, those without customers too.
select
    playbook.tier,
    playbook.churn_risk_band,
    playbook.benefit,
    playbook.channel,
    playbook.offer,
    playbook.valid_days,
    coalesce(cells.customer_count, 0) as customer_count,
    cast(coalesce(cells.predicted_value, 0) as {{ customer_value.type_amount() }}) as predicted_value,
    cast(coalesce(cells.predicted_value, 0) / nullif(cells.customer_count, 0) as {{ customer_value.type_amount() }}) as predicted_value_per_customer,
    round(cast(cells.churn_probability as {{ customer_value.type_double() }}) / cells.customer_count, 6) as mean_churn_probability,
    run.as_of_date,
    run.run_id
from playbook
cross join run
left join cells on playbook.tier = cells.tier and playbook.churn_risk_band = cells.churn_risk_band
