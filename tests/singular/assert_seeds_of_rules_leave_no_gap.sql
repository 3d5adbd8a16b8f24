-- Every pair of scores has a segment, every recency and count one stage, and the last tier and the last
-- level of satisfaction take whoever no other rule took.
select 'rfm_segments has not one row for each of the 25 pairs of scores' as violation
from {{ ref('rfm_segments') }}
having count(*) <> 25 or count(distinct recency_score * 10 + frequency_monetary_score) <> 25

union all

select
    'lifecycle_stages overlap or leave a gap at ' || probes.purchase_days || ' purchase days, silence ' || probes.silence_rhythms
    || ', return ' || probes.return_rhythms || ', pace ' || probes.pace_ratio as violation
from (
    select
        counts.purchase_days,
        silences.silence_rhythms,
        returns.return_rhythms,
        paces.pace_ratio
    from (
        select purchase_days_from as purchase_days from {{ ref('lifecycle_stages') }}
        union
        select purchase_days_to as purchase_days from {{ ref('lifecycle_stages') }}
    ) as counts
    {% for probed, column in [('silences', 'silence_rhythms'), ('returns', 'return_rhythms'), ('paces', 'pace_ratio')] -%}
        cross join (
            select {{ column }}_from as {{ column }} from {{ ref('lifecycle_stages') }}
            union
            select 0 as {{ column }}
        ) as {{ probed }}
    {% endfor -%}
) as probes
left join {{ ref('lifecycle_stages') }} as matching_stages
    on
        probes.purchase_days between matching_stages.purchase_days_from and matching_stages.purchase_days_to
        {% for column in ['silence_rhythms', 'return_rhythms', 'pace_ratio'] -%}
            and probes.{{ column }} >= matching_stages.{{ column }}_from
            and probes.{{ column }} < matching_stages.{{ column }}_to
        {% endfor -%}
group by probes.purchase_days, probes.silence_rhythms, probes.return_rhythms, probes.pace_ratio
having count(matching_stages.lifecycle_stage) <> 1

union all

select 'order_bands overlap or leave a gap before ' || band_of || ' band ' || band_number as violation
from (
    select
        band_of,
        band_number,
        band_from,
        lag(band_to) over (partition by band_of order by band_number) as previous_band_to
    from {{ ref('order_bands') }}
) as neighbouring_bands
where band_from <> coalesce(previous_band_to, case band_of when 'frequency' then 1 else 0 end)

union all

select 'tier_rules has no rule without conditions at its end' as violation
from {{ ref('tier_rules') }}
having
    count(case when minimum_cltv_percentile is null and minimum_predicted_value is null then 1 end) <> 1
    or max(case when minimum_cltv_percentile is null and minimum_predicted_value is null then tier_rank end)
    <> max(tier_rank)
    or count(distinct tier_rank) <> count(*)

union all

select 'satisfaction_levels has no rule without bounds at its end' as violation
from {{ ref('satisfaction_levels') }}
having
    max(rule_number) <> max(case
        when
            coalesce(
                rating_position_from, rating_position_to, rating_offset_from, rating_offset_to, refund_ratio_from
            ) is null
            then rule_number
    end)
