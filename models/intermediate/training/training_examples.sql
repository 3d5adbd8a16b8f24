with customer_features as (

    select * from {{ ref('customer_features') }}

),

training_windows as (

    select * from {{ ref('int_customer_value__training_windows') }}

),

training_customers as (

    select * from {{ ref('int_customer_value__training_customers') }}

),

orders as (

    select
        orders_cleaned.customer_id,
        orders_cleaned.net_amount,
        cast(orders_cleaned.ordered_at as date) as order_date
    from {{ ref('orders_cleaned') }} as orders_cleaned
    inner join training_customers on orders_cleaned.customer_id = training_customers.customer_id

),

outcomes as (

    select
        orders.customer_id,
        training_windows.as_of_date,
        training_windows.horizon_days,
        count(*) as order_count,
        sum(orders.net_amount) as net_amount
    from orders
    inner join training_windows
        on
            orders.order_date >= training_windows.as_of_date
            and orders.order_date < {{ dbt.dateadd('day', 'training_windows.horizon_days', 'training_windows.as_of_date') }}
    group by orders.customer_id, training_windows.as_of_date, training_windows.horizon_days

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
