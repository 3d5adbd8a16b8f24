-- What customers are expected to bring in a period is together what the shop is forecast to take in,
-- to a cent and what rounding each customer to a millionth leaves.
with customers as (

    select
        period_number,
        count(*) as customer_count,
        sum(expected_net_amount) as expected_net_amount
    from {{ ref('customer_value_by_period') }}
    group by period_number

)

select
    coalesce(customers.period_number, revenue_forecast.period_number) as period_number,
    customers.expected_net_amount,
    revenue_forecast.forecast_net_amount
from customers
full outer join {{ ref('revenue_forecast') }} as revenue_forecast on customers.period_number = revenue_forecast.period_number
where
    customers.period_number is null
    or revenue_forecast.period_number is null
    or customers.customer_count <> revenue_forecast.customer_count
    or abs(customers.expected_net_amount - revenue_forecast.forecast_net_amount)
    > 0.01 + 0.000002 * customers.customer_count + 1e-12 * revenue_forecast.forecast_net_amount
