with periods as (

    select
        customer_id,
        sum(discounted_value) as predicted_value,
        sum(expected_order_count) as predicted_order_count
    from {{ ref('customer_value_by_period') }}
    group by customer_id

),

customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

customer_curves as (

    select * from {{ ref('int_customer_value__customer_curves') }}

),

value_intervals as (

    select * from {{ ref('int_customer_value__value_intervals') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- The day by which an order is as likely as not: where the churn model's curve crosses one half.
horizon as (

    select
        max(days_to_end) as last_days,
        {{ var('service_cost_per_period') }} * sum(discount_factor) as cost_to_serve
    from {{ ref('int_customer_value__periods') }}

),

expected as (

    select
        customer_curves.*,
        horizon.cost_to_serve,
        case
            when customer_curves.order_probability_in_horizon >= 0.5 and customer_curves.churn_slope < 0
                then least(
                    horizon.last_days,
                    greatest(1, ceil(exp(-customer_curves.churn_intercept / customer_curves.churn_slope)))
                )
        end as days_to_next_order
    from customer_curves
    cross join horizon

),

joined as (

    select
        periods.customer_id,
        customers.margin_amount as historic_value,
        customers.acquisition_cost_amount,
        periods.predicted_value,
        -- What is uncertain is what customers bring; what they cost to serve is not.
        {% for end, bound in [('lower', 'least'), ('upper', 'greatest')] -%}
            cast(
                {{ bound }}(1, value_intervals.{{ end }}_ratio)
                * (cast(periods.predicted_value as {{ customer_value.type_double() }}) + expected.cost_to_serve)
                - expected.cost_to_serve
                as {{ customer_value.type_expectation() }}
            ) as predicted_value_{{ end }},
        {% endfor -%}
        round(periods.predicted_order_count, 9) as predicted_order_count,
        cast({{ customer_value.dateadd('day', 'cast(expected.days_to_next_order as integer)', 'expected.as_of_date') }} as date)
            as expected_next_order_date,
        expected.as_of_date,
        expected.model_version
    from periods
    inner join customers on periods.customer_id = customers.customer_id
    inner join expected on periods.customer_id = expected.customer_id
    inner join value_intervals
        on
            expected.order_probability_in_horizon >= value_intervals.order_probability_from
            and expected.order_probability_in_horizon < value_intervals.order_probability_to

)

select
    joined.customer_id,
    joined.historic_value,
    joined.predicted_value,
    least(joined.predicted_value, joined.predicted_value_lower) as predicted_value_lower,
    greatest(joined.predicted_value, joined.predicted_value_upper) as predicted_value_upper,
    cast(joined.historic_value + joined.predicted_value as {{ customer_value.type_expectation() }}) as total_value,
    cast(
        joined.historic_value + joined.predicted_value - joined.acquisition_cost_amount
        as {{ customer_value.type_expectation() }}
    ) as net_value,
    joined.predicted_order_count,
    joined.expected_next_order_date,
    joined.as_of_date,
    joined.model_version,
    run.run_id
from joined
cross join run
