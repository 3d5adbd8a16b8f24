with run as (

    select * from {{ ref('int_customer_value__run') }}

),

action_plan as (

    select * from {{ ref('action_plan') }}

),

customers as (

    select
        customer_tiers.customer_id,
        customer_tiers.tier,
        customer_churn.churn_risk_band,
        -- What speaks for the band: of a high risk what raises it, of a low one what lowers it.
        case
            {% for number in [1, 2, 3] -%}
                when
                    case customer_churn.churn_risk_band when 'high' then 1 when 'low' then -1 else 0 end
                    * customer_churn.top_reason_{{ number }}_contribution > 0
                    then customer_churn.top_reason_{{ number }}
            {% endfor -%}
            when customer_churn.churn_risk_band = 'medium' then customer_churn.top_reason_1
        end as churn_reason,
        customer_lifecycle.lifecycle_stage,
        customer_lifecycle.why as lifecycle_reason,
        customer_satisfaction.satisfaction_level,
        customer_satisfaction.why as satisfaction_reason,
        coalesce(action_plan.is_holdout, false) as is_holdout
    from {{ ref('customer_tiers') }} as customer_tiers
    inner join {{ ref('customer_churn') }} as customer_churn on customer_tiers.customer_id = customer_churn.customer_id
    inner join {{ ref('customer_lifecycle') }} as customer_lifecycle on customer_tiers.customer_id = customer_lifecycle.customer_id
    inner join {{ ref('customer_satisfaction') }} as customer_satisfaction on customer_tiers.customer_id = customer_satisfaction.customer_id
    left join action_plan on customer_tiers.customer_id = action_plan.customer_id

),

-- Who is in a rule's list, and the facts that put them there. A column that a rule leaves empty does
-- not matter to it.
by_rule as (

    select
        rules.audience_name,
        customers.customer_id,
        customers.is_holdout,
        rules.valid_days,
        concat_ws(
            '; ',
            rules.audience_text,
            case when rules.lifecycle_stage is not null then customers.lifecycle_reason end,
            case when rules.satisfaction_level is not null then customers.satisfaction_reason end,
            case when rules.lifecycle_stage is null and rules.churn_risk_band is not null then customers.churn_reason end
        ) as reason
    from customers
    inner join {{ ref('audience_rules') }} as rules
        on
            (rules.tier is null or customers.tier = rules.tier)
            and (rules.churn_risk_band is null or customers.churn_risk_band = rules.churn_risk_band)
            and (rules.lifecycle_stage is null or customers.lifecycle_stage = rules.lifecycle_stage)
            and (rules.satisfaction_level is null or customers.satisfaction_level = rules.satisfaction_level)

),

by_playbook as (

    select
        'playbook_' || customers.tier || '_' || customers.churn_risk_band as audience_name,
        customers.customer_id,
        customers.is_holdout,
        playbook.valid_days,
        concat_ws(
            '; ',
            playbook.offer || ' (' || playbook.channel || '), for tier ' || customers.tier || ' at ' || customers.churn_risk_band || ' risk of churn',
            customers.churn_reason
        ) as reason
    from customers
    inner join {{ ref('playbook') }} as playbook
        on customers.tier = playbook.tier and customers.churn_risk_band = playbook.churn_risk_band

),

by_plan as (

    select
        'planned_' || action as audience_name,
        customer_id,
        is_holdout,
        cast({{ var('action_window_days') }} as {{ dbt.type_int() }}) as valid_days,
        reason
    from action_plan
    where action <> 'none'

),

listed as (

    select * from by_rule
    union all
    select * from by_playbook
    union all
    select * from by_plan

)

select
    listed.audience_name,
    listed.customer_id,
    {{ customer_value.sha256_hex('listed.customer_id') }} as customer_key,
    listed.is_holdout,
    listed.reason,
    run.as_of_date as added_date,
    cast({{ customer_value.dateadd('day', 'listed.valid_days', 'run.as_of_date') }} as date) as expires_date,
    run.as_of_date,
    run.run_id
from listed
cross join run
