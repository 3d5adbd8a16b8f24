with run as (

    select * from {{ ref('int_customer_value__run') }}

),

options as (

    select * from {{ ref('int_customer_value__action_options') }}

),

actions as (

    select * from {{ ref('actions') }}

),

customers as (

    select
        options.customer_id,
        options.is_holdout,
        options.churn_risk_band
    from options
    group by options.customer_id, options.is_holdout, options.churn_risk_band

),

increments as (

    select *
    from {{ ref('int_customer_value__action_increments') }}
    where long_term_weight = cast({{ var('long_term_weight') }} as {{ customer_value.type_double() }})

),

-- The last step that the budget reaches.
by_greed as (

    select *
    from increments
    {% if var('action_budget') is not none -%}
        where running_cost_amount <= {{ var('action_budget') }}
    {%- endif %}
    qualify row_number() over (partition by customer_id order by cost_amount desc) = 1

),

-- Of a small shop, what a solver has proven to be the best.
solved as (

    select
        plan_solving.customer_id,
        problem.action,
        problem.cost_amount,
        problem.expected_margin_change,
        problem.expected_value_change,
        problem.net_gain
    from {{ ref('plan_solving') }} as plan_solving
    left join {{ ref('int_customer_value__action_problem') }} as problem
        on plan_solving.customer_id = problem.customer_id and plan_solving.action = problem.action

),

how as (

    select case when count(*) > 0 then 'solver' else 'greedy' end as solved_by
    from solved

),

-- No solver says what would have been done for who is held out, so that is greedy always.
chosen as (

    select
        by_greed.customer_id,
        by_greed.action,
        by_greed.cost_amount,
        by_greed.expected_margin_change,
        by_greed.expected_value_change,
        by_greed.net_gain
    from by_greed
    cross join how
    where by_greed.is_holdout or how.solved_by = 'greedy'

    union all

    select *
    from solved
    where action is not null

),

-- Whom some action gains more than it costs: each has one first step.
paying as (

    select customer_id from increments
    where is_first

),

gaps as (

    select max(optimality_gap_rate) as optimality_gap_rate
    from {{ ref('budget_frontier') }}
    {% if var('action_budget') is not none -%}
        where
            long_term_weight = cast({{ var('long_term_weight') }} as {{ customer_value.type_double() }})
            and budget_amount = cast({{ var('action_budget') }} as {{ customer_value.type_amount() }})
    {%- else -%}
        -- All that pays is taken.
        where 1 = 0
    {%- endif %}

),

planned as (

    select
        customers.customer_id,
        customers.is_holdout,
        chosen.action as best_action,
        case when not customers.is_holdout then chosen.action end as action,
        case when customers.is_holdout then chosen.action end as withheld_action,
        customers.churn_risk_band,
        chosen.cost_amount,
        chosen.expected_margin_change,
        chosen.expected_value_change,
        chosen.net_gain,
        paying.customer_id is not null as is_paying
    from customers
    left join chosen on customers.customer_id = chosen.customer_id
    left join paying on customers.customer_id = paying.customer_id

)

-- Nothing is spent on who is held out, nor gained.
select
    planned.customer_id,
    coalesce(planned.action, 'none') as action,
    planned.withheld_action,
    planned.is_holdout,
    cast(case when planned.action is null then 0 else planned.cost_amount end as {{ customer_value.type_amount() }}) as cost_amount,
    {% for name, column in [
        ('expected_margin_change', 'expected_margin_change'), ('expected_value_change', 'expected_value_change'), ('expected_net_gain', 'net_gain'),
    ] -%}
        cast(case when planned.action is null then 0 else planned.{{ column }} end as {{ customer_value.type_expectation() }}) as {{ name }},
    {% endfor -%}
    options.effect_source,
    case
        when planned.withheld_action is not null then 'Held out, to measure what the others gain: ' || actions.action_text || ' would have been next.'
        when planned.action is not null
            then
                actions.action_text || ': risk of churn is ' || planned.churn_risk_band || ', '
                || case
                    when options.effect_source = 'measured_uplift' then 'and a control group has shown what it gains.'
                    else 'and it is assumed, not measured, what it gains.'
                end
        when planned.is_paying then 'An action would pay, but others pay more for the budget.'
        else 'No action is expected to gain more than it costs.'
    end as reason,
    how.solved_by,
    coalesce(gaps.optimality_gap_rate, 0) as optimality_gap_rate,
    run.as_of_date,
    run.run_id
from planned
left join options on planned.customer_id = options.customer_id and planned.best_action = options.action
left join actions on planned.best_action = actions.action
cross join run
cross join how
cross join gaps
