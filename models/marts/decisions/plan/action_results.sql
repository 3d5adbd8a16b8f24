{%- set double = customer_value.type_double() -%}

with measured as (

    select
        *,
        cast(substring(campaign_id, 1, 10) as date) as plan_date
    from {{ ref('action_measurement') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

acted as (

    select
        plan_date,
        action,
        expected_margin_change,
        cost_amount,
        window_end_date
    from {{ ref('action_history') }}
    where not is_holdout

    union all

    select
        plan_date,
        'all' as action,
        expected_margin_change,
        cost_amount,
        window_end_date
    from {{ ref('action_history') }}
    where not is_holdout

),

promised as (

    select
        plan_date,
        action,
        max(window_end_date) as window_end_date,
        cast(sum(cost_amount) as {{ customer_value.type_amount() }}) as cost_amount,
        cast(cast(sum(expected_margin_change) as {{ double }}) / count(*) as {{ customer_value.type_expectation() }}) as expected_effect
    from acted
    group by plan_date, action

)

select
    measured.plan_date,
    promised.window_end_date,
    measured.treatment as action,
    measured.metric,
    measured.treated_customer_count as acted_customer_count,
    measured.compared_customer_count as holdout_customer_count,
    promised.cost_amount,
    case when measured.metric = 'margin' then promised.expected_effect end as expected_effect,
    {% for name, column in [
        ('acted_mean', 'treated_mean'), ('holdout_mean', 'compared_mean'), ('effect', 'effect'), ('effect_lower', 'effect_lower'),
        ('effect_upper', 'effect_upper'), ('p_value', 'p_value'),
    ] -%}
        case when not isnan(measured.{{ column }}) then round(measured.{{ column }}, 9) end as {{ name }},
    {% endfor -%}
    measured.evidence = 'control_group' as is_randomised,
    measured.verdict,
    measured.finding,
    run.as_of_date,
    run.run_id
from measured
inner join promised on measured.plan_date = promised.plan_date and measured.treatment = promised.action
cross join run
