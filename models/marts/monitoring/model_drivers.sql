with drivers as (

    select * from {{ ref('drivers_measurement') }}

),

-- A number that Python could not tell is NaN there.
told as (

    select
        model_name,
        model_version,
        feature_name,
        effect_kind,
        {% for name in [
            'importance', 'importance_lower', 'importance_upper', 'prediction_change', 'effect_per_deviation',
            'effect_per_deviation_lower', 'effect_per_deviation_upper', 'effect_per_unit', 'effect_per_unit_lower',
            'effect_per_unit_upper', 'feature_mean', 'feature_deviation',
        ] -%}
            case when isnan({{ name }}) then null else round({{ name }}, 6) end as {{ name }},
        {% endfor -%}
        case when isnan(horizon_days) then null else cast(horizon_days as {{ dbt.type_int() }}) end as horizon_days,
        cast(split_as_of_date as date) as split_as_of_date,
        case when isnan(customer_count) then null else cast(customer_count as {{ dbt.type_bigint() }}) end as customer_count
    from drivers

)

select
    cast(model_name as {{ dbt.type_string() }}) as model_name,
    cast(model_version as {{ dbt.type_string() }}) as model_version,
    cast(feature_name as {{ dbt.type_string() }}) as feature_name,
    cast(
        row_number() over (
            partition by model_name
            order by importance desc nulls last, abs(ln(effect_per_deviation)) desc nulls last, feature_name asc
        ) as {{ dbt.type_int() }}
    ) as driver_rank,
    case
        when effect_per_deviation_lower > 1 then 'raises'
        when effect_per_deviation_upper < 1 then 'lowers'
        when effect_per_deviation is null and importance_lower > 0 and prediction_change > 0 then 'raises'
        when effect_per_deviation is null and importance_lower > 0 and prediction_change < 0 then 'lowers'
        else 'unclear'
    end as direction,
    importance,
    importance_lower,
    importance_upper,
    prediction_change,
    cast(effect_kind as {{ dbt.type_string() }}) as effect_kind,
    effect_per_deviation,
    effect_per_deviation_lower,
    effect_per_deviation_upper,
    effect_per_unit,
    effect_per_unit_lower,
    effect_per_unit_upper,
    feature_mean,
    feature_deviation,
    horizon_days,
    split_as_of_date,
    customer_count
from told
