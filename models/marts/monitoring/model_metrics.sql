with model_registry as (

    select * from {{ ref('model_registry') }}

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
            'split': 'varchar', 'metric': 'varchar', 'value': 'double', 'baseline_value': 'double',
            'split_as_of_date': 'date', 'horizon_days': 'integer', 'customer_count': 'bigint',
        },
        carried=['model_name', 'model_version', 'registration_number']
    ) }}

)

select
    metrics.model_name,
    metrics.model_version,
    metrics.split,
    metrics.metric,
    metrics.value,
    metrics.baseline_value,
    metrics.split_as_of_date,
    metrics.horizon_days,
    metrics.customer_count,
    newest.registration_number is not null as is_champion
from metrics
left join newest
    on
        metrics.model_name = newest.model_name
        and metrics.registration_number = newest.registration_number
