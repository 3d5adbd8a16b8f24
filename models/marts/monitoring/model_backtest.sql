with candidate_backtest as (

    select * from {{ ref('candidate_backtest') }}

),

results as (

    {{ customer_value.json_rows(
        'candidate_backtest', 'results', none,
        {
            'origin_date': 'date', 'horizon_days': 'integer', 'candidate': 'varchar', 'metric': 'varchar', 'value': 'double',
            'standard_error': 'double', 'customer_count': 'bigint', 'is_naive': 'boolean', 'is_champion': 'boolean',
            'is_untouched': 'boolean', 'fit_health': 'varchar', 'setting': 'varchar',
        },
        carried=['target', 'is_full', 'as_of_date']
    ) }}

)

select
    cast(target as {{ dbt.type_string() }}) as target,
    origin_date,
    horizon_days,
    candidate,
    metric,
    value,
    standard_error,
    customer_count,
    is_naive,
    is_champion,
    is_untouched,
    fit_health,
    setting,
    is_full as is_full_evaluation,
    cast(as_of_date as date) as as_of_date
from results
