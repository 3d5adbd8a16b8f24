{%- set double = customer_value.type_double() -%}
{%- set expectation = customer_value.type_expectation() -%}

-- A few weights for the frontier, and the one that is planned by.
with weights as (

    {% for weight in ([0, 0.25, 0.5, 0.75, 1] + [var('long_term_weight')]) | unique -%}
        select cast({{ weight }} as {{ double }}) as long_term_weight
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

priced as (

    select
        weights.long_term_weight,
        options.customer_id,
        options.action,
        options.is_holdout,
        options.cost_amount,
        options.expected_margin_change,
        options.expected_value_change,
        cast(
            (1 - weights.long_term_weight) * cast(options.expected_margin_change as {{ double }})
            + weights.long_term_weight * cast(options.expected_value_change as {{ double }})
            - cast(options.cost_amount as {{ double }})
            as {{ expectation }}
        ) as net_gain
    from {{ ref('int_customer_value__action_options') }} as options
    cross join weights

),

-- Doing nothing costs and gains nothing, so an action that gains nothing is never better than it.
gainful as (

    select * from priced
    where net_gain > 0

),

-- How each stands to the same customer's others: gain per cost from the cheaper, and to the dearer.
compared as (

    select
        gainful.long_term_weight,
        gainful.customer_id,
        gainful.action,
        min(
            case
                when others.cost_amount < gainful.cost_amount
                    then
                        cast(gainful.net_gain - others.net_gain as {{ double }})
                        / cast(gainful.cost_amount - others.cost_amount as {{ double }})
            end
        ) as least_gain_per_cost,
        max(
            case
                when others.cost_amount > gainful.cost_amount
                    then
                        cast(others.net_gain - gainful.net_gain as {{ double }})
                        / cast(others.cost_amount - gainful.cost_amount as {{ double }})
            end
        ) as largest_gain_per_cost,
        max(
            case
                when
                    others.cost_amount = gainful.cost_amount
                    and (
                        others.net_gain > gainful.net_gain
                        or (others.net_gain = gainful.net_gain and others.action < gainful.action)
                    )
                    then 1
                else 0
            end
        ) as has_better_at_cost
    from gainful
    inner join gainful as others
        on
            gainful.long_term_weight = others.long_term_weight
            and gainful.customer_id = others.customer_id
            and gainful.action <> others.action
    group by gainful.long_term_weight, gainful.customer_id, gainful.action

),

-- A customer's efficient options: the concave hull of gain over cost, from doing nothing on. Whatever
-- is below it is never better than a mixture of its neighbours.
hull as (

    select gainful.*
    from gainful
    left join compared
        on
            gainful.long_term_weight = compared.long_term_weight
            and gainful.customer_id = compared.customer_id
            and gainful.action = compared.action
    where
        coalesce(compared.has_better_at_cost, 0) = 0
        and case
            when gainful.cost_amount = 0 then true
            else least(
                cast(gainful.net_gain as {{ double }}) / cast(gainful.cost_amount as {{ double }}),
                coalesce(
                    compared.least_gain_per_cost,
                    cast(gainful.net_gain as {{ double }}) / cast(gainful.cost_amount as {{ double }})
                )
            ) > greatest(coalesce(compared.largest_gain_per_cost, 0), 0)
        end

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
        lag(action) over hull_of_customer is null as is_first,
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
