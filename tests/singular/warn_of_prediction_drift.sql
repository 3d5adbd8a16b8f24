{{ config(severity='warn') }}

-- What prediction_drift found drifted in this run, beyond the thresholds of the var monitoring_thresholds.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select prediction_drift.*
from {{ ref('prediction_drift') }} as prediction_drift
inner join run on prediction_drift.as_of_date = run.as_of_date
where prediction_drift.is_drifted
