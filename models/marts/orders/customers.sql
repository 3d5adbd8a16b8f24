with orders as (

    select * from {{ ref('orders_cleaned') }}

),

run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

),

customer_attributes as (

    select * from {{ ref('int_customer_value__customer_attributes') }}

),

lifecycle_stages as (

    select * from {{ ref('lifecycle_stages') }}

),

histories as (

    select
        customer_id,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        count(*) as order_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(refund_amount) as refund_amount,
        sum(net_amount) as net_amount,
        sum(margin_amount) as margin_amount,
        -- The gaps add up to the days between the first order and the last.
        sum(days_since_previous_order) as days_between_first_and_last_order
    from orders
    group by customer_id

),

measured as (

    select
        histories.*,
        run.as_of_date,
        {{ dbt.datediff('histories.last_order_date', 'run.as_of_date', 'day') }} as recency_days,
        {{ dbt.datediff('histories.first_order_date', 'run.as_of_date', 'day') }} as tenure_days
    from histories
    cross join run

)

select
    measured.customer_id,
    measured.first_ordered_at,
    measured.last_ordered_at,
    measured.first_order_date,
    measured.last_order_date,
    cast(date_trunc('month', measured.first_order_date) as date) as cohort_month,
    cast(measured.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(measured.gross_amount as {{ customer_value.type_amount() }}) as gross_amount,
    cast(measured.discount_amount as {{ customer_value.type_amount() }}) as discount_amount,
    cast(measured.refund_amount as {{ customer_value.type_amount() }}) as refund_amount,
    cast(measured.net_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(measured.margin_amount as {{ customer_value.type_amount() }}) as margin_amount,
    cast(measured.net_amount / measured.order_count as {{ customer_value.type_amount() }}) as average_order_value,
    round(
        cast(measured.days_between_first_and_last_order as {{ customer_value.type_double() }}) / nullif(measured.order_count - 1, 0), 2
    ) as average_days_between_orders,
    cast(measured.recency_days as {{ dbt.type_int() }}) as recency_days,
    cast(measured.tenure_days as {{ dbt.type_int() }}) as tenure_days,
    lifecycle_stages.lifecycle_stage,
    customer_attributes.acquired_at,
    customer_attributes.acquisition_channel,
    customer_attributes.acquisition_cost as acquisition_cost_amount,
    coalesce(customer_attributes.is_imputed, false) as is_acquisition_imputed,
    measured.as_of_date,
    {{ customer_value.run_id() }} as run_id
from measured
-- The stages partition every count of orders and every recency: a test holds them to it.
left join lifecycle_stages
    on
        measured.order_count between lifecycle_stages.order_count_from and lifecycle_stages.order_count_to
        and measured.recency_days >= lifecycle_stages.churn_windows_from * {{ var('churn_window_days') }}
        and measured.recency_days < lifecycle_stages.churn_windows_to * {{ var('churn_window_days') }}
left join customer_attributes on measured.customer_id = customer_attributes.customer_id
