-- No step has more sessions than the one before, and segments of a kind hold every session once.
with funnels as (

    select
        *,
        lag(session_count) over (partition by segment_kind, segment order by step_number) as previous_session_count,
        sum(session_count) over (partition by segment_kind, step_number) as kind_session_count,
        max(case when segment_kind = 'all' then session_count end) over (partition by step_number) as all_session_count
    from {{ ref('path_funnels') }}

)

select
    segment_kind,
    segment,
    step_number
from funnels
where session_count > previous_session_count or session_count > reached_session_count or kind_session_count <> all_session_count
