{{
    config(
        materialized='incremental',
        unique_key='as_of_date',
        incremental_strategy='delete+insert',
        on_schema_change='append_new_columns',
        full_refresh=false
    )
}}

{%- set thresholds = customer_value.monitoring_thresholds() %}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

distribution_shifts as (

    select * from {{ ref('int_customer_value__distribution_shifts') }}
    where
        reference_name = 'training'
        and subject_name not in ('{{ (customer_value.monitored_predictions() + customer_value.monitored_scores()) | unique | join("', '") }}')

),

rounded as (

    select
        as_of_date,
        subject_name as feature_name,
        round(psi, 6) as psi,
        round(psi_by_chance, 6) as psi_by_chance,
        round(wasserstein_distance, 6) as wasserstein_distance,
        round(reference_mean, 6) as training_mean,
        round(current_mean, 6) as current_mean,
        cast(reference_customer_count as {{ dbt.type_bigint() }}) as training_customer_count,
        cast(current_customer_count as {{ dbt.type_bigint() }}) as current_customer_count
    from distribution_shifts

)

-- A shop of a few customers is unlike itself by chance: no index counts that chance could bring. And
-- where many values are nearly the same, a small step takes them into another tenth: hence the
-- distance too.
select
    rounded.as_of_date,
    rounded.feature_name,
    rounded.psi,
    rounded.psi_by_chance,
    rounded.wasserstein_distance,
    rounded.training_mean,
    rounded.current_mean,
    rounded.training_customer_count,
    rounded.current_customer_count,
    rounded.psi > rounded.psi_by_chance
    and rounded.psi > {{ thresholds.feature_psi }}
    and coalesce(rounded.wasserstein_distance > {{ thresholds.feature_wasserstein }}, false) as is_drifted,
    run.run_id
from rounded
cross join run
