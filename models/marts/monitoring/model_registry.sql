{{
    config(
        materialized='incremental',
        unique_key='model_version',
        incremental_strategy='delete+insert',
        on_schema_change='append_new_columns',
        full_refresh=false
    )
}}

{%- set columns = [
    'model_name', 'model_version', 'trained_as_of_date', 'training_from_date', 'training_to_date',
    'training_rows', 'training_customers', 'fallback', 'parameters', 'metrics', 'scoring_sql',
    'linear_predictor_sql', 'library_versions',
] %}

with trained as (

    {% for model_name in ['churn', 'spend'] -%}
        select {{ columns | join(', ') }} from {{ ref(model_name ~ '_training') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

registered as (

    {% if is_incremental() -%}
        select model_name, model_version, registration_number from {{ this }}
    {%- else -%}
        select model_name, model_version, 0 as registration_number from trained where 1 = 0
    {%- endif %}

),

latest as (

    select
        model_name,
        max(registration_number) as registration_number
    from registered
    group by model_name

)

-- The newest model of each name has the highest number, without a clock. A run that trains what
-- is already the newest adds nothing; one that trains an older model again makes it the newest.
select
    {% for column in columns -%} trained.{{ column }}, {% endfor %}
    cast(coalesce(latest.registration_number, 0) + 1 as {{ dbt.type_int() }}) as registration_number
from trained
left join latest on trained.model_name = latest.model_name
left join registered
    on
        trained.model_version = registered.model_version
        and latest.registration_number = registered.registration_number
where registered.model_version is null
