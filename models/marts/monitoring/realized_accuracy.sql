{{
    config(
        materialized='incremental',
        unique_key=['as_of_date', 'target'],
        incremental_strategy='delete+insert',
        on_schema_change='append_new_columns',
        full_refresh=false
    )
}}

{%- set thresholds = customer_value.monitoring_thresholds() %}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

accuracy_measurement as (

    select * from {{ ref('accuracy_measurement') }}

),

-- One run scored all customers of a date, with one pair of models.
scored_dates as (

    select
        as_of_date,
        target,
        window_end_date,
        max(model_version) as model_version,
        count(*) as customer_count
    from {{ ref('int_customer_value__predictions_realized') }}
    group by as_of_date, target, window_end_date

),

promises as (

    select
        model_version,
        metric,
        value as promised_value,
        horizon_days as promised_horizon_days
    from {{ ref('model_metrics') }}
    where split = 'out_of_time' and is_trained

    union all

    select
        model_version,
        'interval_coverage' as metric,
        {{ customer_value.json_number('parameters', ['interval_level']) }} as promised_value,
        null as promised_horizon_days
    from {{ ref('model_registry') }}
    where model_name = 'spend'

),

-- Scores name both models, churn before value: churn-…+spend-….
realized as (

    select
        accuracy_measurement.as_of_date,
        accuracy_measurement.target,
        accuracy_measurement.metric,
        case when isnan(accuracy_measurement.realized_value) then null else round(accuracy_measurement.realized_value, 9) end as realized_value,
        scored_dates.window_end_date,
        scored_dates.customer_count,
        case
            when accuracy_measurement.target = 'churn' then split_part(scored_dates.model_version, '+', 1)
            else split_part(scored_dates.model_version, '+', 2)
        end as model_version
    from accuracy_measurement
    inner join scored_dates
        on
            accuracy_measurement.as_of_date = scored_dates.as_of_date
            and accuracy_measurement.target = scored_dates.target

),

compared as (

    select
        realized.*,
        1 / sqrt(realized.customer_count) as by_chance,
        promises.promised_value,
        promises.promised_horizon_days
    from realized
    left join promises
        on
            realized.model_version = promises.model_version
            and realized.metric = promises.metric

)

-- Only what means the same over another horizon than the promise's is judged: money and log loss
-- depend on how far one looks. Thresholds are wider by what chance does among so many customers.
select
    cast(compared.as_of_date as date) as as_of_date,
    cast(compared.target as {{ dbt.type_string() }}) as target,
    cast(compared.metric as {{ dbt.type_string() }}) as metric,
    compared.realized_value,
    compared.promised_value,
    cast({{ customer_value.datediff('compared.as_of_date', 'compared.window_end_date', 'day') }} as {{ dbt.type_int() }}) as horizon_days,
    cast(compared.promised_horizon_days as {{ dbt.type_int() }}) as promised_horizon_days,
    compared.window_end_date,
    cast(compared.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    coalesce(
        case compared.metric
            when 'roc_auc' then compared.realized_value < compared.promised_value - {{ thresholds.ranking_loss }} - compared.by_chance
            when 'normalized_gini' then compared.realized_value < compared.promised_value - {{ thresholds.ranking_loss }} - compared.by_chance
            when 'calibration_error' then compared.realized_value > compared.promised_value + {{ thresholds.calibration_error_gain }} + compared.by_chance
            when 'total_bias' then abs(compared.realized_value - 1) > {{ thresholds.value_bias }} + compared.by_chance
            when 'interval_coverage' then compared.realized_value < compared.promised_value - {{ thresholds.interval_coverage_loss }} - compared.by_chance
        end,
        false
    ) as is_worse_than_promised,
    compared.model_version,
    run.as_of_date as measured_as_of_date,
    run.run_id
from compared
cross join run
