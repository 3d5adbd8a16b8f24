{{ config(severity='warn') }}

-- What data_quality measured in this run beyond a warning threshold of the var
-- data_quality_thresholds, and not beyond that of an error.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select
    data_quality.input_name,
    data_quality.metric,
    data_quality.subject,
    data_quality.value,
    data_quality.warn_threshold
from {{ ref('data_quality') }} as data_quality
inner join run on data_quality.as_of_date = run.as_of_date
where data_quality.severity = 'warn'
