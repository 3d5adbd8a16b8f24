-- Whatever follows a context adds up to how often it was seen.
select
    event_before,
    from_event,
    sum(transition_count) as transitions,
    max(context_count) as context_count,
    sum(transition_rate) as rates
from {{ ref('event_transitions') }}
group by event_before, from_event
having
    sum(transition_count) <> max(context_count)
    or min(context_count) <> max(context_count)
    or abs(sum(transition_rate) - 1) > 0.000001
