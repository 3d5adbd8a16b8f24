with customer_features as (

    select * from {{ ref('customer_features') }}

),

training_windows as (

    select * from {{ ref('int_customer_value__training_windows') }}

),

training_points as (

    select * from {{ ref('int_customer_value__training_points') }}

),

amount_limits as (  -- noqa: ST03

    select * from {{ ref('int_customer_value__amount_limits') }}

),

-- Where the var says so, an outlier counts no more than the fence: one order of a million should not
-- teach that its like are on their way. What customers have spent, and scores, take it as it is.
orders as (

    select
        orders.customer_id,
        {% if var('winsorize_outliers') -%}
            case
                when orders.is_outlier
                    then least(
                        orders.net_amount,
                        cast(amount_limits.highest_amount * coalesce(orders.exchange_rate, 1) as {{ customer_value.type_amount() }})
                    )
                else orders.net_amount
            end as net_amount,
        {%- else -%}
            orders.net_amount,
        {%- endif %}
        orders.order_date
    from {{ ref('orders_cleaned') }} as orders
    {% if var('winsorize_outliers') -%}
        left join amount_limits
            on coalesce(orders.original_currency, upper(trim(orders.currency)), '') = amount_limits.currency
    {%- endif %}

),

-- How far into the longest window of its date each later order lies; each window then counts
-- those within its own length.
later_orders as (

    select
        training_points.customer_id,
        training_points.as_of_date,
        orders.net_amount,
        {{ customer_value.datediff('training_points.as_of_date', 'orders.order_date', 'day') }} as days_after
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
    outcomes.customer_id is null as is_churned_in_horizon,
    cast(coalesce(outcomes.net_amount, 0) as {{ customer_value.type_amount() }}) as net_amount_in_horizon
from customer_features
inner join training_windows on customer_features.as_of_date = training_windows.as_of_date
left join outcomes
    on
        customer_features.customer_id = outcomes.customer_id
        and customer_features.as_of_date = outcomes.as_of_date
        and training_windows.horizon_days = outcomes.horizon_days
