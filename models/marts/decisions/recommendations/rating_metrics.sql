with measured as (

    select * from {{ ref('rating_measurement') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

select
    measured.method,
    measured.metric,
    round(measured.error, 9) as prediction_error,
    round(min(case when measured.is_chosen then null else measured.error end) over (partition by measured.metric), 9) as best_mean_error,
    measured.is_chosen,
    measured.settings,
    measured.review_count,
    run.as_of_date,
    run.run_id
from measured
cross join run
