-- Every pair of scores has a segment, every recency and count one stage, and the last tier takes
-- whoever no other rule took.
select 'rfm_segments has not one row for each of the 25 pairs of scores' as violation
from {{ ref('rfm_segments') }}
having count(*) <> 25 or count(distinct recency_score * 10 + frequency_monetary_score) <> 25

union all

select 'lifecycle_stages overlap or leave a gap at ' || probes.order_count || ' orders, ' || probes.churn_windows as violation
from (
    select
        counts.order_count,
        recencies.churn_windows
    from (
        select order_count_from as order_count from {{ ref('lifecycle_stages') }}
        union
        select order_count_to as order_count from {{ ref('lifecycle_stages') }}
    ) as counts
    cross join (select distinct churn_windows_from as churn_windows from {{ ref('lifecycle_stages') }}) as recencies
) as probes
left join {{ ref('lifecycle_stages') }} as matching_stages
    on
        probes.order_count between matching_stages.order_count_from and matching_stages.order_count_to
        and probes.churn_windows >= matching_stages.churn_windows_from
        and probes.churn_windows < matching_stages.churn_windows_to
group by probes.order_count, probes.churn_windows
having count(matching_stages.lifecycle_stage) <> 1

union all

select 'tier_rules has no rule without conditions at its end' as violation
from {{ ref('tier_rules') }}
having
    count(case when minimum_cltv_percentile is null and minimum_predicted_value is null then 1 end) <> 1
    or max(case when minimum_cltv_percentile is null and minimum_predicted_value is null then tier_rank end)
    <> max(tier_rank)
    or count(distinct tier_rank) <> count(*)
