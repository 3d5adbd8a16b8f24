{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        pre_hook="{% if is_incremental() %}delete from {{ this }} where as_of_date >= (select as_of_date from {{ ref('int_customer_value__run') }}){% endif %}"
    )
}}

-- As in customer_tier_history, a second run of a date replaces what the first one said, and a run
-- of an earlier date all that came after: hence the deletion before this select.
with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Dates that were scored before tiers were kept have none.
predictions as (

    select
        customer_id,
        as_of_date,
        tier,
        predicted_value
    from {{ ref('prediction_history') }}
    where tier is not null

),

-- The last date that movements led to, so that each date begins where another ended.
last_date as (

    select max(predictions.as_of_date) as previous_date
    from predictions
    cross join run
    where
        predictions.as_of_date < run.as_of_date
        {%- if is_incremental() %}
            and predictions.as_of_date in (select movements.as_of_date from {{ this }} as movements)
        {%- endif %}

),

scored_before as (

    select
        predictions.customer_id,
        predictions.tier,
        predictions.predicted_value
    from predictions
    inner join last_date on predictions.as_of_date = last_date.previous_date

),

scored_now as (

    select
        predictions.customer_id,
        predictions.tier,
        predictions.predicted_value
    from predictions
    inner join run on predictions.as_of_date = run.as_of_date

),

moved as (

    select
        coalesce(scored_before.tier, 'none') as from_tier,
        coalesce(scored_now.tier, 'none') as to_tier,
        scored_before.predicted_value as previous_predicted_value,
        scored_now.predicted_value
    from scored_now
    full outer join scored_before on scored_now.customer_id = scored_before.customer_id

),

summed as (

    select
        from_tier,
        to_tier,
        count(*) as customer_count,
        coalesce(sum(previous_predicted_value), 0) as previous_predicted_value,
        coalesce(sum(predicted_value), 0) as predicted_value
    from moved
    group by from_tier, to_tier

)

select
    run.as_of_date,
    last_date.previous_date,
    summed.from_tier,
    summed.to_tier,
    cast(summed.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(summed.previous_predicted_value as {{ customer_value.type_expectation() }}) as previous_predicted_value,
    cast(summed.predicted_value as {{ customer_value.type_expectation() }}) as predicted_value,
    run.run_id
from summed
cross join run
cross join last_date
