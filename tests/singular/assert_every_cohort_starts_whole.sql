-- In its own month every customer of a cohort is active, and no month is left out.
select
    cohort_month,
    max(case when month_number = 0 then active_customers end) as active_in_month_0,
    max(cohort_size) as cohort_size
from {{ ref('cohort_retention') }}
group by cohort_month
having
    max(case when month_number = 0 then active_customers end) <> max(cohort_size)
    or count(*) <> max(month_number) + 1
