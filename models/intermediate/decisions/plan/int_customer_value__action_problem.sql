{%- set double = customer_value.type_double() -%}
{#- So many options take a solver seconds; of more, the greedy plan is all but the best. -#}
{%- set most_options = 2000 -%}

with paying as (

    select
        customer_id,
        action,
        cost_amount,
        expected_margin_change,
        expected_value_change,
        cast(
            (1 - {{ var('long_term_weight') }}) * cast(expected_margin_change as {{ double }})
            + {{ var('long_term_weight') }} * cast(expected_value_change as {{ double }})
            - cast(cost_amount as {{ double }})
            as {{ customer_value.type_expectation() }}
        ) as net_gain
    from {{ ref('int_customer_value__action_options') }}
    where not is_holdout

),

counted as (

    select
        *,
        count(*) over () as option_count
    from paying
    where net_gain > 0

)

-- Without a budget the greedy plan takes all that pays, which is the best there is: nothing to solve.
select
    customer_id,
    action,
    cost_amount,
    expected_margin_change,
    expected_value_change,
    net_gain,
    -- Down to the cent, so that it is never overspent by rounding.
    cast(
        floor(round(100 * cast({{ var('action_budget') if var('action_budget') is not none else 0 }} as {{ double }}), 4)) / 100
        as {{ customer_value.type_amount() }}
    ) as budget_amount
from counted
where option_count <= {{ most_options }} and {{ 'true' if var('action_budget') is not none else 'false' }}
