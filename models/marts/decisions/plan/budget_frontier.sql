{%- set double = customer_value.type_double() -%}

with increments as (

    select * from {{ ref('int_customer_value__action_increments') }}
    where not is_holdout

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Tenths of what would be spent without a limit, and the budget that is planned by.
all_spent as (

    select max(running_cost_amount) as cost_amount
    from increments

),

tenths as (

    {{ customer_value.integers(1, 10, 'tenth') }}

),

budgets as (

    select
        cast(round(all_spent.cost_amount * tenths.tenth / 10, 2) as {{ customer_value.type_amount() }}) as budget_amount
    from all_spent
    cross join tenths
    where all_spent.cost_amount is not null

    union distinct

    select cast({{ var('action_budget') if var('action_budget') is not none else 'cost_amount' }} as {{ customer_value.type_amount() }}) as budget_amount
    from all_spent
    where cost_amount is not null

),

weights as (

    select distinct long_term_weight from increments

),

taken as (

    select
        increments.long_term_weight,
        budgets.budget_amount,
        count(*) filter (where increments.is_first) as acted_customer_count,
        sum(increments.cost_amount_step) as cost_amount,
        sum(increments.expected_margin_change_step) as margin_change,
        sum(increments.expected_value_change_step) as value_change,
        sum(increments.net_gain_step) as net_gain
    from budgets
    inner join increments on budgets.budget_amount >= increments.running_cost_amount
    group by increments.long_term_weight, budgets.budget_amount

),

-- The first step that the budget does not reach: no plan gains more from what is left than it would.
not_taken as (

    select
        increments.long_term_weight,
        budgets.budget_amount,
        max(increments.gain_per_cost) as gain_per_cost
    from budgets
    inner join increments on budgets.budget_amount < increments.running_cost_amount
    group by increments.long_term_weight, budgets.budget_amount

),

bounded as (

    select
        weights.long_term_weight,
        budgets.budget_amount,
        coalesce(taken.acted_customer_count, 0) as acted_customer_count,
        coalesce(taken.cost_amount, 0) as cost_amount,
        coalesce(taken.margin_change, 0) as margin_change,
        coalesce(taken.value_change, 0) as value_change,
        coalesce(taken.net_gain, 0) as net_gain,
        cast(coalesce(taken.net_gain, 0) as {{ double }})
        + coalesce(not_taken.gain_per_cost, 0) * cast(budgets.budget_amount - coalesce(taken.cost_amount, 0) as {{ double }})
            as net_gain_bound
    from weights
    cross join budgets
    left join taken
        on weights.long_term_weight = taken.long_term_weight and budgets.budget_amount = taken.budget_amount
    left join not_taken
        on weights.long_term_weight = not_taken.long_term_weight and budgets.budget_amount = not_taken.budget_amount

),

-- The best plan of a small shop, which is a plan of every larger budget too.
solved as (

    select
        cast({{ var('long_term_weight') }} as {{ double }}) as long_term_weight,
        max(problem.budget_amount) as budget_amount,
        count(plan_solving.action) as acted_customer_count,
        coalesce(sum(case when plan_solving.action is not null then problem.cost_amount end), 0) as cost_amount,
        coalesce(sum(case when plan_solving.action is not null then problem.expected_margin_change end), 0) as margin_change,
        coalesce(sum(case when plan_solving.action is not null then problem.expected_value_change end), 0) as value_change,
        coalesce(sum(case when plan_solving.action is not null then problem.net_gain end), 0) as net_gain
    from {{ ref('int_customer_value__action_problem') }} as problem
    left join {{ ref('plan_solving') }} as plan_solving
        on problem.customer_id = plan_solving.customer_id and problem.action = plan_solving.action
    where exists (select 1 from {{ ref('plan_solving') }})
    having count(*) > 0

),

-- Proven of its own budget: no other plan of it gains more.
best_known as (

    select
        bounded.long_term_weight,
        bounded.budget_amount,
        {% for name in ['acted_customer_count', 'cost_amount', 'margin_change', 'value_change', 'net_gain'] -%}
            coalesce(solved.{{ name }}, bounded.{{ name }}) as {{ name }},
        {% endfor -%}
        case when solved.budget_amount is not null then 'solver' else 'greedy' end as solved_by,
        case
            when solved.budget_amount = bounded.budget_amount then cast(solved.net_gain as {{ double }})
            else bounded.net_gain_bound
        end as net_gain_bound
    from bounded
    left join solved
        on
            bounded.long_term_weight = solved.long_term_weight
            and (
                bounded.budget_amount = solved.budget_amount
                or (bounded.budget_amount > solved.budget_amount and bounded.net_gain < solved.net_gain)
            )

)

select
    best_known.long_term_weight,
    best_known.budget_amount,
    best_known.acted_customer_count,
    cast(best_known.cost_amount as {{ customer_value.type_amount() }}) as cost_amount,
    cast(best_known.margin_change as {{ customer_value.type_expectation() }}) as expected_margin_change,
    cast(best_known.value_change as {{ customer_value.type_expectation() }}) as expected_value_change,
    cast(best_known.net_gain as {{ customer_value.type_expectation() }}) as expected_net_gain,
    case
        when best_known.net_gain_bound > 0
            then round(greatest(0, 1 - cast(best_known.net_gain as {{ double }}) / best_known.net_gain_bound), 9)
        else 0
    end as optimality_gap_rate,
    best_known.solved_by,
    run.as_of_date,
    run.run_id
from best_known
cross join run
