-- Movements hold every order of every month; at their end stand the customers and stages of today;
-- and who is in a stage at a month's end begins the next one in it.
with movements as (

    select * from {{ ref('lifecycle_movements') }}

),

revenue as (

    select
        cast(date_trunc('month', order_date) as date) as order_month,
        count(*) as order_count,
        sum(net_amount) as net_amount
    from {{ ref('orders_cleaned') }}
    group by order_month

),

moved as (

    select
        movement_month,
        sum(order_count) as order_count,
        sum(net_amount) as net_amount
    from movements
    group by movement_month

),

stages_today as (

    select
        lifecycle_stage,
        count(*) as customer_count
    from {{ ref('customer_lifecycle') }}
    where lifecycle_stage <> 'prospect' or stage_began_date is not null
    group by lifecycle_stage

),

ends as (

    select
        movement_month,
        to_stage,
        sum(customer_count) as customer_count
    from movements
    group by movement_month, to_stage

),

beginnings as (

    select
        cast({{ customer_value.dateadd('month', -1, 'movement_month') }} as date) as month_before,
        from_stage,
        sum(customer_count) as customer_count
    from movements
    where from_stage <> 'none'
    group by month_before, from_stage

)

select 'orders of ' || revenue.order_month as violation
from revenue
left join moved on revenue.order_month = moved.movement_month
where
    moved.order_count is null
    or moved.order_count <> revenue.order_count
    or moved.net_amount <> revenue.net_amount

union all

select 'stages today: ' || stages_today.lifecycle_stage as violation
from stages_today
left join ends
    on
        stages_today.lifecycle_stage = ends.to_stage
        and ends.movement_month = (select max(movements.movement_month) from movements)
where ends.customer_count is null or ends.customer_count <> stages_today.customer_count

union all

select 'ends of ' || ends.movement_month || ', ' || ends.to_stage as violation
from ends
left join beginnings
    on
        ends.movement_month = beginnings.month_before
        and ends.to_stage = beginnings.from_stage
where
    ends.movement_month < (select max(movements.movement_month) from movements)
    and (beginnings.customer_count is null or beginnings.customer_count <> ends.customer_count)

union all

select 'customers and customer_lifecycle disagree on ' || customers.customer_id as violation
from {{ ref('customer_value', 'customers') }} as customers
left join {{ ref('customer_lifecycle') }} as lifecycle on customers.customer_id = lifecycle.customer_id
where lifecycle.lifecycle_stage is null or lifecycle.lifecycle_stage <> customers.lifecycle_stage
