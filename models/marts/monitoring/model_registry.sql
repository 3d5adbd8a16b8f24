{{
    config(
        materialized='incremental',
        unique_key='model_version',
        incremental_strategy='delete+insert',
        on_schema_change='append_new_columns',
        full_refresh=false
    )
}}

with trained as (

    {% for model_name in ['churn', 'spend', 'high_value'] -%}
        select
            model_name,
            model_version,
            cast(trained_as_of_date as date) as trained_as_of_date,
            cast(training_from_date as date) as training_from_date,
            cast(training_to_date as date) as training_to_date,
            cast(training_rows as {{ dbt.type_bigint() }}) as training_rows,
            cast(training_customers as {{ dbt.type_bigint() }}) as training_customers,
            candidate,
            cast(fallback as {{ dbt.type_string() }}) as fallback,
            fit_health,
            parameters,
            metrics,
            cast(scoring_sql as {{ dbt.type_string() }}) as scoring_sql,
            cast(linear_predictor_sql as {{ dbt.type_string() }}) as linear_predictor_sql,
            library_versions
        from {{ ref(model_name ~ '_training') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

registered as (

    {% if is_incremental() -%}
        select
            model_name,
            model_version,
            registration_number
        from {{ this }}
    {%- else -%}
        select
            model_name,
            model_version,
            0 as registration_number
        from trained
        where 1 = 0
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
    trained.model_name,
    trained.model_version,
    trained.trained_as_of_date,
    trained.training_from_date,
    trained.training_to_date,
    trained.training_rows,
    trained.training_customers,
    trained.candidate,
    trained.fallback,
    trained.fit_health,
    trained.parameters,
    trained.metrics,
    trained.scoring_sql,
    trained.linear_predictor_sql,
    trained.library_versions,
    cast(coalesce(latest.registration_number, 0) + 1 as {{ dbt.type_int() }}) as registration_number
from trained
left join latest on trained.model_name = latest.model_name
left join registered
    on
        trained.model_version = registered.model_version
        and latest.registration_number = registered.registration_number
where registered.model_version is null
