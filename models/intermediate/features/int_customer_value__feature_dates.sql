with shop_days as (

    select * from {{ ref('int_customer_value__shop_days') }}

),

feature_dates as (

    select
        as_of_date,
        true as is_current
    from {{ ref('int_customer_value__run') }}

    union all

    select distinct
        as_of_date,
        false as is_current
    from {{ ref('int_customer_value__training_windows') }}

),

-- What the shop as a whole looked like before each date, from its days: one row for each date,
-- over all customers, whatever sample of them is looked at.
shop_histories as (

    select
        feature_dates.as_of_date,
        feature_dates.is_current,
        coalesce(sum(shop_days.new_customer_count), 0) as customer_count,
        coalesce(sum(shop_days.order_count), 0) as order_count,
        coalesce(sum(shop_days.purchase_day_count), 0) as purchase_day_count,
        coalesce(sum(shop_days.net_amount), 0) as net_amount,
        coalesce(
            sum(
                shop_days.new_customer_count
                * {{ customer_value.datediff('shop_days.order_date', 'feature_dates.as_of_date', 'day') }}
            ),
            0
        ) as customer_days
    from feature_dates
    left join shop_days on feature_dates.as_of_date > shop_days.order_date
    group by feature_dates.as_of_date, feature_dates.is_current

)

select
    as_of_date,
    is_current,
    greatest(
        cast(net_amount as {{ customer_value.type_double() }}) / greatest(purchase_day_count, 1), 0.01
    ) as shop_purchase_amount,
    -- The time scale of this shop: days that its customers were there for each purchase that
    -- was not their first. One such purchase in a year is added: it tells where nothing else does.
    least(
        cast(customer_days + 365 as {{ customer_value.type_double() }}) / (purchase_day_count - customer_count + 1), 3650
    ) as shop_days_per_repeat,
    cast(greatest(order_count, 1) as {{ customer_value.type_double() }}) / greatest(purchase_day_count, 1) as orders_per_purchase_day
from shop_histories
