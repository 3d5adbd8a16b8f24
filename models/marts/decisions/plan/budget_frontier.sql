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
    {% if var('action_budget') is not none %}
        union distinct

        select cast({{ var('action_budget') }} as {{ customer_value.type_amount() }}) as budget_amount
        from all_spent
        where cost_amount is not null
    {% else %}
        union distinct

        select cost_amount as budget_amount
        from all_spent
        where cost_amount is not null
    {% endif %}

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

)

select
    bounded.long_term_weight,
    bounded.budget_amount,
    bounded.acted_customer_count,
    cast(bounded.cost_amount as {{ customer_value.type_amount() }}) as cost_amount,
    cast(bounded.margin_change as {{ customer_value.type_expectation() }}) as expected_margin_change,
    cast(bounded.value_change as {{ customer_value.type_expectation() }}) as expected_value_change,
    cast(bounded.net_gain as {{ customer_value.type_expectation() }}) as expected_net_gain,
    case
        when bounded.net_gain_bound > 0
            then round(greatest(0, 1 - cast(bounded.net_gain as {{ double }}) / bounded.net_gain_bound), 9)
        else 0
    end as optimality_gap_rate,
    run.as_of_date,
    run.run_id
from bounded
cross join run
