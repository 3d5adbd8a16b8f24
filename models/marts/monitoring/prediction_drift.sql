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
    where subject_name in ('{{ (customer_value.monitored_predictions() + customer_value.monitored_scores()) | unique | join("', '") }}')

),

rounded as (

    select
        as_of_date,
        case subject_name when 'customer_model_net_amount' then 'predicted_net_amount' else subject_name end as prediction,
        reference_name,
        reference_as_of_date,
        round(psi, 6) as psi,
        round(psi_by_chance, 6) as psi_by_chance,
        round(current_mean, 6) as current_mean,
        round(reference_mean, 6) as reference_mean,
        round(current_lowest_rate, 6) as current_lowest_rate,
        round(reference_lowest_rate, 6) as reference_lowest_rate,
        round(current_highest_rate, 6) as current_highest_rate,
        round(reference_highest_rate, 6) as reference_highest_rate,
        cast(current_customer_count as {{ dbt.type_bigint() }}) as current_customer_count,
        cast(reference_customer_count as {{ dbt.type_bigint() }}) as reference_customer_count
    from distribution_shifts

)

select
    rounded.as_of_date,
    rounded.prediction,
    rounded.reference_name,
    rounded.reference_as_of_date,
    rounded.psi,
    rounded.psi_by_chance,
    rounded.current_mean,
    rounded.reference_mean,
    rounded.current_lowest_rate,
    rounded.reference_lowest_rate,
    rounded.current_highest_rate,
    rounded.reference_highest_rate,
    rounded.current_customer_count,
    rounded.reference_customer_count,
    rounded.psi > rounded.psi_by_chance and rounded.psi > {{ thresholds.prediction_psi }} as is_drifted,
    run.run_id
from rounded
cross join run
