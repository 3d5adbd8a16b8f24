{{ config(severity='warn') }}

-- What feature_drift found drifted in this run, beyond the thresholds of the var monitoring_thresholds.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select feature_drift.*
from {{ ref('feature_drift') }} as feature_drift
inner join run on feature_drift.as_of_date = run.as_of_date
where feature_drift.is_drifted
