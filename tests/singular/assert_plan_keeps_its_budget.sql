-- A plan never spends more than it may, and nothing on who is held out to measure it.
select
    sum(cost_amount) as cost_amount,
    count(*) filter (where is_holdout and (action <> 'none' or cost_amount <> 0)) as acted_holdout_count
from {{ ref('action_plan') }}
having
    count(*) filter (where is_holdout and (action <> 'none' or cost_amount <> 0)) > 0
    {% if var('action_budget') is not none -%}
        or sum(cost_amount) > {{ var('action_budget') }}
    {%- endif %}
