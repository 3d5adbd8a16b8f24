-- Readers never see a mixture of two runs. Dates must agree too: a table left over from another
-- day is found even where the run_id was given by hand.
with stamps as (

    select
        run_id,
        as_of_date
    from {{ ref('int_customer_value__run') }}
    union
    select
        run_id,
        as_of_date
    from {{ ref('customer_churn') }}
    union
    select
        run_id,
        as_of_date
    from {{ ref('customer_value_by_period') }}
    union
    select
        run_id,
        as_of_date
    from {{ ref('customer_cltv') }}
    union
    select
        run_id,
        as_of_date
    from {{ ref('customer_tiers') }}
    union
    select
        run_id,
        as_of_date
    from {{ ref('revenue_forecast') }}

)

select
    min(run_id) as one_run_id,
    max(run_id) as other_run_id,
    min(as_of_date) as one_as_of_date,
    max(as_of_date) as other_as_of_date
from stamps
having count(*) > 1
