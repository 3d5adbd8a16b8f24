with stages as (

    select * from {{ ref('int_customer_value__lifecycle_stages') }}

),

-- Who is known at the end of one month is at the end of the next: so the row before is last month's.
moved as (

    select
        customer_id,
        movement_month,
        is_whole_month,
        coalesce(lag(lifecycle_stage) over (partition by customer_id order by movement_month), 'none') as from_stage,
        lifecycle_stage as to_stage
    from stages
    where last_order_date is not null or known_date is not null

),

spent as (

    select
        customer_id,
        cast(date_trunc('month', order_date) as date) as order_month,
        count(*) as order_count,
        sum(net_amount) as net_amount
    from {{ ref('orders_cleaned') }}
    group by customer_id, order_month

)

select
    moved.movement_month,
    moved.from_stage,
    moved.to_stage,
    moved.is_whole_month,
    cast(count(*) as {{ dbt.type_bigint() }}) as customer_count,
    cast(coalesce(sum(spent.order_count), 0) as {{ dbt.type_bigint() }}) as order_count,
    cast(coalesce(sum(spent.net_amount), 0) as {{ customer_value.type_amount() }}) as net_amount,
    {{ customer_value.run_id() }} as run_id
from moved
left join spent
    on
        moved.customer_id = spent.customer_id
        and moved.movement_month = spent.order_month
group by moved.movement_month, moved.from_stage, moved.to_stage, moved.is_whole_month
