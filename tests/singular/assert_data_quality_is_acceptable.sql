-- What data_quality measured in this run beyond an error threshold of the var
-- data_quality_thresholds. What is beyond a warning alone is told of by warn_of_data_quality.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select
    data_quality.input_name,
    data_quality.metric,
    data_quality.subject,
    data_quality.value,
    data_quality.error_threshold
from {{ ref('data_quality') }} as data_quality
inner join run on data_quality.as_of_date = run.as_of_date
where data_quality.severity = 'error'
