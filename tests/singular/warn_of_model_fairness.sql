{{ config(severity='warn') }}

-- Groups of customers that model_fairness found treated unequally in this run, beyond chance and the
-- thresholds of the var fairness_thresholds.
with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

select
    model_fairness.group_name,
    model_fairness.group_value,
    model_fairness.metric,
    model_fairness.metric_value,
    model_fairness.reference_value,
    model_fairness.evidence
from {{ ref('model_fairness') }} as model_fairness
inner join run on model_fairness.as_of_date = run.as_of_date
where model_fairness.verdict = 'unequal'
