{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        pre_hook="{% if is_incremental() %}delete from {{ this }} where as_of_date = (select as_of_date from {{ ref('int_customer_value__run') }}){% endif %}"
    )
}}

-- depends_on: {{ ref('int_customer_value__run') }}
-- A second run of a date replaces what the first one said of it, with nothing where groups are no
-- longer asked for: hence the deletion before this select.
{%- set thresholds = customer_value.fairness_thresholds() %}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- A number that Python could not tell is NaN there. Of a small group the figures are chance, and may
-- tell of single persons.
measured as (

    select
        *,
        measured_customer_count < {{ var('fairness_minimum_customers') }} as is_too_small,
        {% for name in ['metric_value', 'metric_lower', 'metric_upper'] -%}
            case
                when measured_customer_count >= {{ var('fairness_minimum_customers') }} and not isnan({{ name }})
                    then round({{ name }}, 6)
            end as told_{{ name }},
        {% endfor -%}
        case when isnan(reference_value) then null else round(reference_value, 6) end as told_reference_value
    from {{ ref('fairness_measurement') }}

),

-- Totals and shares are compared by their ratio, errors by their difference. An error of money has no
-- bound that fits all shops: total_bias is judged in its place.
compared as (

    select
        *,
        case
            when metric in ('selection_rate', 'total_bias') and told_reference_value > 0
                then round(told_metric_value / told_reference_value, 6)
        end as ratio_to_all,
        round(told_metric_value - told_reference_value, 6) as difference_from_all
    from measured

),

judged as (

    select
        *,
        case
            when metric = 'selection_rate'
                then
                    ratio_to_all < {{ thresholds.selection_rate_ratio }}
                    or ratio_to_all * {{ thresholds.selection_rate_ratio }} > 1
            when metric = 'total_bias'
                then
                    ratio_to_all < {{ thresholds.value_bias_ratio }}
                    or ratio_to_all * {{ thresholds.value_bias_ratio }} > 1
            when metric in ('false_positive_rate', 'false_negative_rate')
                then abs(difference_from_all) > {{ thresholds.error_rate_difference }}
            when metric = 'calibration_bias'
                then abs(difference_from_all) > {{ thresholds.calibration_difference }}
            when metric = 'calibration_error'
                then difference_from_all > {{ thresholds.calibration_difference }}
        end as is_far_from_all,
        told_metric_lower > told_reference_value or told_metric_upper < told_reference_value as is_more_than_chance
    from compared

)

select
    run.as_of_date,
    cast(judged.evidence as {{ dbt.type_string() }}) as evidence,
    cast(judged.target as {{ dbt.type_string() }}) as target,
    cast(judged.group_name as {{ dbt.type_string() }}) as group_name,
    cast(judged.group_value as {{ dbt.type_string() }}) as group_value,
    cast(judged.metric as {{ dbt.type_string() }}) as metric,
    judged.told_metric_value as metric_value,
    judged.told_metric_lower as metric_lower,
    judged.told_metric_upper as metric_upper,
    judged.told_reference_value as reference_value,
    judged.ratio_to_all,
    judged.difference_from_all,
    cast(judged.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(judged.measured_customer_count as {{ dbt.type_bigint() }}) as measured_customer_count,
    case
        when judged.is_too_small then 'too_small'
        when judged.is_far_from_all is null or judged.is_more_than_chance is null then 'not_judged'
        when judged.is_far_from_all and judged.is_more_than_chance then 'unequal'
        else 'within_thresholds'
    end as verdict,
    cast(judged.evidence_as_of_date as date) as evidence_as_of_date,
    case when isnan(judged.horizon_days) then null else cast(judged.horizon_days as {{ dbt.type_int() }}) end as horizon_days,
    cast(judged.model_version as {{ dbt.type_string() }}) as model_version,
    run.run_id
from judged
cross join run
