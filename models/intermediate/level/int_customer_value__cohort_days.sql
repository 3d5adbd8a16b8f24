with run as (

    select
        as_of_date,
        cast({{ customer_value.dateadd('day', '-history_days', 'as_of_date') }} as date) as history_start_date
    from {{ ref('int_customer_value__run') }}

),

customers as (

    select
        customer_id,
        first_order_date
    from {{ ref('customer_value', 'customers') }}

),

orders as (

    select
        customer_id,
        order_date,
        order_number,
        net_amount
    from {{ ref('orders_cleaned') }}

),

late_refunds as (

    select
        orders.customer_id,
        order_refunds.order_date,
        order_refunds.refund_date,
        order_refunds.refund_amount
    from {{ ref('order_refunds') }} as order_refunds
    inner join {{ ref('orders_cleaned') }} as orders on order_refunds.order_id = orders.order_id
    where order_refunds.refund_date > order_refunds.order_date

),

-- Until its day a refund was not known: it goes from the day of the order to that day.
movements as (

    select
        customer_id,
        order_date as shop_date,
        1 as order_count,
        case when order_number = 1 then 1 else 0 end as new_customer_count,
        net_amount
    from orders

    union all

    select
        customer_id,
        order_date as shop_date,
        0 as order_count,
        0 as new_customer_count,
        refund_amount as net_amount
    from late_refunds

    union all

    select
        customer_id,
        refund_date as shop_date,
        0 as order_count,
        0 as new_customer_count,
        -refund_amount as net_amount
    from late_refunds

),

-- Who first ordered before the history began counts as known from its first day on.
dated as (

    select
        greatest(customers.first_order_date, run.history_start_date) as first_order_date,
        greatest(movements.shop_date, run.history_start_date) as order_date,
        movements.shop_date < run.history_start_date as is_older,
        movements.shop_date > customers.first_order_date as is_repeat,
        movements.order_count,
        movements.new_customer_count,
        movements.net_amount
    from movements
    inner join customers on movements.customer_id = customers.customer_id
    cross join run
    where
        movements.shop_date >= run.history_start_date
        or movements.new_customer_count = 1

)

select
    first_order_date,
    order_date,
    sum(new_customer_count) as new_customer_count,
    sum(case when is_older then 0 else order_count end) as order_count,
    sum(case when is_repeat and not is_older then order_count else 0 end) as repeat_order_count,
    cast(sum(case when is_older then 0 else net_amount end) as {{ customer_value.type_amount() }}) as net_amount,
    cast(sum(case when is_repeat and not is_older then net_amount else 0 end) as {{ customer_value.type_amount() }})
        as repeat_net_amount
from dated
group by first_order_date, order_date
