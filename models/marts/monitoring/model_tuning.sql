{{
    config(
        materialized='incremental',
        unique_key='as_of_date',
        incremental_strategy='delete+insert',
        on_schema_change='append_new_columns',
        full_refresh=false
    )
}}

with candidate_tuning as (

    select * from {{ ref('candidate_tuning') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

-- A run that doesn't search has no rows and leaves those of earlier ones as they are.
select
    cast(candidate_tuning.target as {{ dbt.type_string() }}) as target,
    cast(candidate_tuning.candidate as {{ dbt.type_string() }}) as candidate,
    cast(candidate_tuning.step as {{ dbt.type_string() }}) as step,
    cast(candidate_tuning.setting as {{ dbt.type_string() }}) as setting,
    cast(candidate_tuning.fold_date as date) as fold_date,
    cast(candidate_tuning.horizon_days as {{ dbt.type_int() }}) as horizon_days,
    cast(candidate_tuning.metric as {{ dbt.type_string() }}) as metric,
    cast(candidate_tuning.value as {{ customer_value.type_double() }}) as value,
    cast(candidate_tuning.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(candidate_tuning.is_chosen as boolean) as is_chosen,
    run.as_of_date,
    run.run_id
from candidate_tuning
cross join run
