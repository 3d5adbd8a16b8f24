with customer_features as (

    select * from {{ ref('customer_features') }}

),

training_windows as (

    select * from {{ ref('int_customer_value__training_windows') }}

),

training_points as (

    select * from {{ ref('int_customer_value__training_points') }}

),

orders as (

    select
        customer_id,
        net_amount,
        order_date
    from {{ ref('orders_cleaned') }}

),

-- How far into the longest window of its date each later order lies; each window then counts
-- those within its own length.
later_orders as (

    select
        training_points.customer_id,
        training_points.as_of_date,
        orders.net_amount,
        {{ dbt.datediff('training_points.as_of_date', 'orders.order_date', 'day') }} as days_after
    from training_points
    inner join orders
        on
            training_points.customer_id = orders.customer_id
            and training_points.as_of_date <= orders.order_date

),

outcomes as (

    select
        later_orders.customer_id,
        later_orders.as_of_date,
        training_windows.horizon_days,
        count(*) as order_count,
        sum(later_orders.net_amount) as net_amount
    from later_orders
    inner join training_windows
        on
            later_orders.as_of_date = training_windows.as_of_date
            and later_orders.days_after < training_windows.horizon_days
    group by later_orders.customer_id, later_orders.as_of_date, training_windows.horizon_days

)

select
    customer_features.*,
    training_windows.horizon_days,
    ln(training_windows.horizon_days) as log_horizon,
    coalesce(outcomes.order_count, 0) = 0 as is_churned_in_horizon,
    coalesce(outcomes.order_count, 0) as order_count_in_horizon,
    cast(coalesce(outcomes.net_amount, 0) as {{ customer_value.type_amount() }}) as net_amount_in_horizon
from customer_features
inner join training_windows on customer_features.as_of_date = training_windows.as_of_date
left join outcomes
    on
        customer_features.customer_id = outcomes.customer_id
        and customer_features.as_of_date = outcomes.as_of_date
        and training_windows.horizon_days = outcomes.horizon_days
