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
{%- set text = dbt.type_string() %}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

newest as (

    select
        model_registry.*,
        case model_registry.model_name when 'churn' then 'churn_probability' else 'predicted_net_amount' end as prediction,
        case model_registry.model_name when 'churn' then 'churn' else 'value' end as target,
        {{ customer_value.datediff('model_registry.trained_as_of_date', 'run.as_of_date', 'day') }} as model_age_days
    from {{ ref('model_registry') }} as model_registry
    cross join run
    where model_registry.model_name in ('churn', 'spend')
    qualify row_number() over (partition by model_registry.model_name order by model_registry.registration_number desc) = 1

),

-- A model that does not list its coefficients is taken to read every feature.
features_read as (

    {% for feature_name in customer_value.monitored_features() -%}
        select
            model_name,
            '{{ feature_name }}' as feature_name
        from newest
        where
            {{ customer_value.json_number('parameters', ['coefficients', feature_name]) }} is not null
            or {{ customer_value.json_number('parameters', ['coefficients', 'intercept']) }} is null
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

features as (

    select
        features_read.model_name,
        count(*) as feature_count,
        sum(case when feature_drift.is_drifted then 1 else 0 end) as drifted_feature_count,
        max_by(feature_drift.feature_name, struct_pack(psi := feature_drift.psi, feature_name := feature_drift.feature_name)) as most_drifted_feature
    from features_read
    inner join {{ ref('feature_drift') }} as feature_drift on features_read.feature_name = feature_drift.feature_name
    inner join run on feature_drift.as_of_date = run.as_of_date
    group by features_read.model_name

),

predictions as (

    select
        prediction_drift.prediction,
        max(case when prediction_drift.reference_name = 'training' then prediction_drift.psi end) as training_psi,
        max(case when prediction_drift.reference_name = 'previous' then prediction_drift.psi end) as previous_psi,
        max(case when prediction_drift.reference_name = 'training' and prediction_drift.is_drifted then 1 else 0 end) = 1
            as is_drifted_from_training,
        max(case when prediction_drift.reference_name = 'previous' and prediction_drift.is_drifted then 1 else 0 end) = 1
            as is_drifted_from_previous
    from {{ ref('prediction_drift') }} as prediction_drift
    inner join run on prediction_drift.as_of_date = run.as_of_date
    group by prediction_drift.prediction

),

-- Of each target the latest scored date whose window had closed.
realized as (

    select
        realized_accuracy.*,
        rank() over (partition by realized_accuracy.target order by realized_accuracy.as_of_date desc) as recency_rank
    from {{ ref('realized_accuracy') }} as realized_accuracy
    cross join run
    where realized_accuracy.window_end_date <= run.as_of_date

),

latest_realized as (

    select
        target,
        max(as_of_date) as realized_as_of_date,
        max(model_version) as realized_model_version,
        max(case when metric in ('roc_auc', 'normalized_gini') then realized_value end) as realized_ranking,
        max(case when metric in ('roc_auc', 'normalized_gini') then promised_value end) as promised_ranking,
        min(case when is_worse_than_promised then metric end) as worse_metric
    from realized
    where recency_rank = 1
    group by target

),

-- A share of nothing is none.
judged as (

    select
        newest.model_name,
        newest.model_version,
        newest.trained_as_of_date,
        newest.model_age_days,
        newest.fallback,
        features.feature_count,
        features.drifted_feature_count,
        round(cast(features.drifted_feature_count as {{ customer_value.type_double() }}) / nullif(features.feature_count, 0), 9)
            as drifted_feature_rate,
        features.most_drifted_feature,
        newest.prediction,
        predictions.training_psi,
        predictions.previous_psi,
        predictions.is_drifted_from_training,
        predictions.is_drifted_from_previous,
        latest_realized.realized_as_of_date,
        latest_realized.realized_model_version,
        latest_realized.realized_ranking,
        latest_realized.promised_ranking,
        latest_realized.worse_metric
    from newest
    left join features on newest.model_name = features.model_name
    left join predictions on newest.prediction = predictions.prediction
    left join latest_realized on newest.target = latest_realized.target

),

-- The first rule that holds. Training anew helps where the model is older than what it misses; a
-- model of today that does not fit, or a jump from one date to the next, is for a person to look at.
ruled as (

    select
        *,
        case
            when fallback is not null then 'fallback'
            when worse_metric is not null and realized_model_version = model_version then 'accuracy'
            when worse_metric is not null then 'accuracy_before'
            when is_drifted_from_previous then 'jump'
            when drifted_feature_rate > {{ thresholds.drifted_feature_rate }} then 'features'
            when is_drifted_from_training then 'predictions'
            when model_age_days > {{ thresholds.model_age_days }} then 'age'
            else 'none'
        end as rule
    from judged

)

select
    run.as_of_date,
    ruled.model_name,
    ruled.model_version,
    ruled.trained_as_of_date,
    cast(ruled.model_age_days as {{ dbt.type_int() }}) as model_age_days,
    ruled.fallback,
    cast(coalesce(ruled.feature_count, 0) as {{ dbt.type_bigint() }}) as feature_count,
    cast(coalesce(ruled.drifted_feature_count, 0) as {{ dbt.type_bigint() }}) as drifted_feature_count,
    ruled.drifted_feature_rate,
    ruled.training_psi as prediction_psi_from_training,
    ruled.previous_psi as prediction_psi_from_previous,
    coalesce(ruled.is_drifted_from_training, false) or coalesce(ruled.is_drifted_from_previous, false) as is_prediction_drifted,
    ruled.realized_as_of_date,
    ruled.realized_ranking,
    ruled.promised_ranking,
    ruled.worse_metric is not null as is_worse_than_promised,
    case
        when ruled.rule = 'none' then 'ok'
        when ruled.rule in ('accuracy', 'age') then 'retrain'
        when ruled.rule in ('features', 'predictions') and ruled.model_age_days > 0 then 'retrain'
        else 'investigate'
    end as advice,
    case ruled.rule
        when 'fallback'
            then 'A stand-in scores, ' || ruled.fallback || ': the orders could not carry the model.'
        when 'accuracy'
            then
                'What it said as of ' || cast(ruled.realized_as_of_date as {{ text }}) || ' came out worse than promised, by '
                || ruled.worse_metric || '.'
        when 'accuracy_before'
            then
                'What its forerunner said as of ' || cast(ruled.realized_as_of_date as {{ text }}) || ' came out worse than promised, by '
                || ruled.worse_metric || '; training anew has not been enough to know.'
        when 'jump'
            then
                'Its predictions have jumped since the date before: PSI ' || cast(round(ruled.previous_psi, 2) as {{ text }})
                || ' of ' || ruled.prediction || '.'
        when 'features'
            then
                cast(ruled.drifted_feature_count as {{ text }}) || ' of ' || cast(ruled.feature_count as {{ text }})
                || ' features have drifted from the training examples, ' || ruled.most_drifted_feature || ' most.'
        when 'predictions'
            then
                'Its predictions have drifted from those of the training examples: PSI '
                || cast(round(ruled.training_psi, 2) as {{ text }}) || ' of ' || ruled.prediction || '.'
        when 'age'
            then 'It was trained ' || cast(ruled.model_age_days as {{ text }}) || ' days ago.'
        else 'No threshold is passed.'
    end as reason,
    run.run_id
from ruled
cross join run
