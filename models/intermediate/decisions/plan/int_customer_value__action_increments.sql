{%- set double = customer_value.type_double() -%}
{%- set expectation = customer_value.type_expectation() -%}

-- A few weights for the frontier, and the one that is planned by.
with weights as (

    {% for weight in ([0, 0.25, 0.5, 0.75, 1] + [var('long_term_weight')]) | unique -%}
        select cast({{ weight }} as {{ double }}) as long_term_weight
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

options as (

    select
        customer_id,
        action,
        is_holdout,
        cost_amount,
        expected_margin_change,
        expected_value_change
    from {{ ref('int_customer_value__action_options') }}

    union all

    select distinct
        customer_id,
        'none' as action,
        is_holdout,
        cast(0 as {{ customer_value.type_amount() }}) as cost_amount,
        cast(0 as {{ expectation }}) as expected_margin_change,
        cast(0 as {{ expectation }}) as expected_value_change
    from {{ ref('int_customer_value__action_options') }}

),

weighted as (

    select
        weights.long_term_weight,
        options.*,
        cast(
            (1 - weights.long_term_weight) * cast(options.expected_margin_change as {{ double }})
            + weights.long_term_weight * cast(options.expected_value_change as {{ double }})
            - cast(options.cost_amount as {{ double }})
            as {{ expectation }}
        ) as net_gain
    from options
    cross join weights

),

best_at_cost as (

    select *
    from weighted
    qualify row_number() over (
        partition by long_term_weight, customer_id, cost_amount
        order by net_gain desc, case when action = 'none' then 0 else 1 end asc, action asc
    ) = 1

),

-- What costs more has to gain more.
undominated as (

    select *
    from best_at_cost
    qualify net_gain > coalesce(max(net_gain) over (
        partition by long_term_weight, customer_id
        order by cost_amount
        rows between unbounded preceding and 1 preceding
    ), net_gain - 1)

),

steps as (

    select
        cheaper.long_term_weight,
        cheaper.customer_id,
        cheaper.cost_amount as from_cost_amount,
        dearer.cost_amount as to_cost_amount,
        cast(dearer.net_gain - cheaper.net_gain as {{ double }})
        / cast(dearer.cost_amount - cheaper.cost_amount as {{ double }}) as gain_per_cost
    from undominated as cheaper
    inner join undominated as dearer
        on
            cheaper.long_term_weight = dearer.long_term_weight
            and cheaper.customer_id = dearer.customer_id
            and cheaper.cost_amount < dearer.cost_amount

),

steps_to as (

    select
        long_term_weight,
        customer_id,
        to_cost_amount as cost_amount,
        min(gain_per_cost) as least_gain_per_cost
    from steps
    group by long_term_weight, customer_id, to_cost_amount

),

steps_from as (

    select
        long_term_weight,
        customer_id,
        from_cost_amount as cost_amount,
        max(gain_per_cost) as largest_gain_per_cost
    from steps
    group by long_term_weight, customer_id, from_cost_amount

),

-- A customer's efficient options: the concave hull of gain over cost. Whatever is below it is never
-- better than a mixture of its neighbours.
hull as (

    select undominated.*
    from undominated
    left join steps_to
        on
            undominated.long_term_weight = steps_to.long_term_weight
            and undominated.customer_id = steps_to.customer_id
            and undominated.cost_amount = steps_to.cost_amount
    left join steps_from
        on
            undominated.long_term_weight = steps_from.long_term_weight
            and undominated.customer_id = steps_from.customer_id
            and undominated.cost_amount = steps_from.cost_amount
    where
        undominated.cost_amount = 0
        or steps_to.least_gain_per_cost > coalesce(steps_from.largest_gain_per_cost, 0)

),

-- From each efficient option to the next: what it costs and gains more. Along a customer's hull the
-- gain per cost falls, so that taking steps in its order takes each customer's in theirs.
increments as (

    select
        long_term_weight,
        customer_id,
        action,
        is_holdout,
        cost_amount,
        net_gain,
        expected_margin_change,
        expected_value_change,
        coalesce(lag(action) over hull_of_customer, 'none') = 'none' as is_first,
        {% for name in ['cost_amount', 'net_gain', 'expected_margin_change', 'expected_value_change'] -%}
            {{ name }} - coalesce(lag({{ name }}) over hull_of_customer, 0) as {{ name }}_step
            {{- ',' if not loop.last }}
        {% endfor %}
    from hull
    window hull_of_customer as (partition by long_term_weight, customer_id order by cost_amount)

),

ordered as (

    select
        *,
        -- What is free comes before all that is not.
        case
            when cost_amount_step = 0 then cast(1e300 as {{ double }})
            else cast(net_gain_step as {{ double }}) / cast(cost_amount_step as {{ double }})
        end as gain_per_cost
    from increments
    where action <> 'none'

)

-- Who is held out costs nothing, but stands at the same place in the order: so it is known who would
-- have been acted on.
select
    long_term_weight,
    customer_id,
    action,
    is_holdout,
    is_first,
    cost_amount,
    net_gain,
    expected_margin_change,
    expected_value_change,
    cost_amount_step,
    net_gain_step,
    expected_margin_change_step,
    expected_value_change_step,
    gain_per_cost,
    cast(sum(case when is_holdout then 0 else cost_amount_step end) over (
        partition by long_term_weight
        order by gain_per_cost desc, customer_id asc, cost_amount asc
        rows between unbounded preceding and current row
    ) as {{ customer_value.type_amount() }}) as running_cost_amount
from ordered
