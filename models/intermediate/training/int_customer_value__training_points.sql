with customers as (

    select
        customer_id,
        first_order_date
    from {{ ref('customer_value', 'customers') }}

),

-- The past dates, numbered from 0, with the windows that start on each.
origins as (

    select
        as_of_date,
        count(*) as window_count,
        row_number() over (order by as_of_date) - 1 as origin_number,
        count(*) over () as origin_count
    from {{ ref('int_customer_value__training_windows') }}
    group by as_of_date

),

first_order_dates as (

    select
        first_order_date,
        count(*) as customer_count
    from customers
    group by first_order_date

),

-- Where all customers at all dates would be too many examples, each customer is looked at from
-- fewer dates before any customer is left out: many customers once teach more than a few often.
spread as (

    select
        max(origins.origin_count) as origin_count,
        sum(first_order_dates.customer_count * origins.window_count) as example_count,
        greatest(
            1,
            least(
                max(origins.origin_count),
                floor(
                    max(origins.origin_count) * {{ var('max_training_rows') }}
                    / sum(first_order_dates.customer_count * origins.window_count)
                )
            )
        ) as origins_per_customer
    from first_order_dates
    inner join origins on first_order_dates.first_order_date < origins.as_of_date

),

-- The sample is drawn by a hash of the key, so that it is the same on every run and engine.
hashed as (

    select
        customer_id,
        first_order_date,
        {{ customer_value.hash_fraction("'" ~ var('random_seed') ~ ":' || customer_id") }} as hash_position
    from customers

),

drawn as (

    select
        hashed.*,
        -- Other digits of the hash than those that order the sample choose the dates.
        cast(floor(hashed.hash_position * 65536) as {{ dbt.type_bigint() }}) as date_offset
    from hashed
    cross join spread
    -- More than can be needed, less than would have to be sorted.
    where
        hashed.hash_position * spread.example_count * spread.origins_per_customer
        <= 2.0 * {{ var('max_training_rows') }} * spread.origin_count

),

points as (

    select
        drawn.customer_id,
        drawn.hash_position,
        origins.as_of_date,
        origins.window_count
    from drawn
    inner join origins on drawn.first_order_date < origins.as_of_date
    cross join spread
    where mod(drawn.date_offset + origins.origin_number, origins.origin_count) < spread.origins_per_customer

),

-- And the rest is cut off exactly.
counted as (

    select
        customer_id,
        as_of_date,
        sum(window_count) over (
            order by hash_position, customer_id, as_of_date
            rows between unbounded preceding and current row
        ) as example_count
    from points

)

select
    customer_id,
    as_of_date
from counted
where example_count <= {{ var('max_training_rows') }}
