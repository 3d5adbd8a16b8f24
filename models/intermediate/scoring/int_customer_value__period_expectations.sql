{{ config(materialized='view') }}

with period_increments as (

    select * from {{ ref('int_customer_value__period_increments') }}

),

revenue_forecasting as (

    select * from {{ ref('revenue_forecasting') }}

)

-- One factor for all customers of a period: no cumulative sum can fall, nor can the order of
-- customers within a period change. It is of amounts alone; see DECISIONS.md.
select
    period_increments.customer_id,
    period_increments.period_number,
    period_increments.as_of_date,
    period_increments.model_version,
    period_increments.cumulative_order_probability,
    period_increments.expected_order_count,
    period_increments.expected_net_amount * revenue_forecasting.level_factor as expected_net_amount
from period_increments
inner join revenue_forecasting on period_increments.period_number = revenue_forecasting.period_number
