{{ config(severity='warn') }}

-- What came out worse than training had promised, beyond the thresholds of the var
-- monitoring_thresholds, as far as this run has measured it.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select realized_accuracy.*
from {{ ref('realized_accuracy') }} as realized_accuracy
inner join run on realized_accuracy.measured_as_of_date = run.as_of_date
where realized_accuracy.is_worse_than_promised
