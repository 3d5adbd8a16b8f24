{{ config(severity='warn') }}

-- Models older than the var monitoring_thresholds lets them be. What else may be wrong with them
-- the other tests of monitoring tell; a shop too small for a model is not warned of every night.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select
    model_health.model_name,
    model_health.model_version,
    model_health.model_age_days,
    model_health.advice,
    model_health.reason
from {{ ref('model_health') }} as model_health
inner join run on model_health.as_of_date = run.as_of_date
where model_health.model_age_days > {{ customer_value.monitoring_thresholds().model_age_days }}
