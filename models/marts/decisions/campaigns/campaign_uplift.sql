with measured as (

    select * from {{ ref('campaign_measurement') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

-- What is not a number there is not known here.
select
    measured.campaign_id,
    measured.treatment,
    measured.segment_kind,
    measured.segment,
    measured.metric,
    measured.evidence,
    measured.evidence = 'control_group' as is_randomised,
    measured.treated_customer_count,
    measured.compared_customer_count,
    round(measured.matched_rate, 9) as matched_rate,
    {% for name in [
        'treated_mean', 'compared_mean', 'mean_difference', 'effect', 'effect_lower', 'effect_upper', 'shrunk_effect',
        'p_value', 'adjusted_p_value',
    ] -%}
        case when not isnan(measured.{{ name }}) then round(measured.{{ name }}, 9) end as {{ name }},
    {% endfor -%}
    measured.verdict,
    measured.finding,
    cast({{ var('campaign_window_days') }} as {{ dbt.type_int() }}) as campaign_window_days,
    run.as_of_date,
    run.run_id
from measured
cross join run
