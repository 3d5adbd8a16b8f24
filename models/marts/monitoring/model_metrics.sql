with model_registry as (

    select
        model_name,
        model_version,
        registration_number,
        metrics,
        -- Models that were registered before there were several candidates were these.
        coalesce(candidate, case model_name when 'churn' then 'logistic' else 'gamma' end) as trained_candidate
    from {{ ref('model_registry') }}

),

newest as (

    select
        model_name,
        max(registration_number) as registration_number
    from model_registry
    group by model_name

),

metrics as (

    {{ customer_value.json_rows(
        'model_registry', 'metrics', none,
        {
            'split': 'varchar', 'candidate': 'varchar', 'is_naive': 'boolean', 'metric': 'varchar', 'value': 'double',
            'uncalibrated_value': 'double', 'baseline_value': 'double',
            'split_as_of_date': 'date', 'horizon_days': 'integer', 'customer_count': 'bigint',
        },
        carried=['model_name', 'model_version', 'registration_number', 'trained_candidate']
    ) }}

)

select
    metrics.model_name,
    metrics.model_version,
    metrics.split,
    coalesce(metrics.candidate, metrics.trained_candidate) as candidate,
    metrics.is_naive,
    metrics.metric,
    metrics.value,
    metrics.uncalibrated_value,
    metrics.baseline_value,
    metrics.split_as_of_date,
    metrics.horizon_days,
    metrics.customer_count,
    coalesce(metrics.candidate, metrics.trained_candidate) = metrics.trained_candidate as is_trained,
    newest.registration_number is not null
    and coalesce(metrics.candidate, metrics.trained_candidate) = metrics.trained_candidate as is_champion
from metrics
left join newest
    on
        metrics.model_name = newest.model_name
        and metrics.registration_number = newest.registration_number
