with period_expectations as (

    select * from {{ ref('int_customer_value__period_expectations') }}

),

periods as (

    select * from {{ ref('int_customer_value__periods') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- What the shop has kept of its net amount so far: gross_margin_rate where no cost is known.
margin_rates as (

    select
        case
            when sum(net_amount) > 0
                then cast(sum(margin_amount) as {{ customer_value.type_double() }}) / cast(sum(net_amount) as {{ customer_value.type_double() }})
            else {{ var('gross_margin_rate') }}
        end as margin_rate
    from {{ ref('customer_value', 'customers') }}

),

-- Rounded here and nowhere else; all that follows adds up what stands in this table.
expected as (

    select
        period_expectations.customer_id,
        period_expectations.period_number,
        periods.period_start,
        periods.period_end,
        periods.discount_factor,
        period_expectations.as_of_date,
        period_expectations.model_version,
        round(period_expectations.cumulative_order_probability, 9) as cumulative_order_probability,
        round(period_expectations.expected_order_count, 9) as expected_order_count,
        cast(period_expectations.expected_net_amount as {{ customer_value.type_expectation() }}) as expected_net_amount,
        cast(
            period_expectations.expected_net_amount * margin_rates.margin_rate - {{ var('service_cost_per_period') }}
            as {{ customer_value.type_expectation() }}
        ) as expected_margin
    from period_expectations
    inner join periods on period_expectations.period_number = periods.period_number
    cross join margin_rates

)

select
    expected.customer_id,
    expected.period_number,
    expected.period_start,
    expected.period_end,
    expected.cumulative_order_probability,
    expected.expected_order_count,
    expected.expected_net_amount,
    expected.expected_margin,
    expected.discount_factor,
    cast(
        cast(expected.expected_margin as {{ customer_value.type_double() }}) * expected.discount_factor
        as {{ customer_value.type_expectation() }}
    ) as discounted_value,
    expected.as_of_date,
    expected.model_version,
    run.run_id
from expected
cross join run
