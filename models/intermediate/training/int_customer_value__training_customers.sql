with customers as (

    select
        customer_id,
        cast(first_ordered_at as date) as first_order_date
    from {{ ref('customers') }}

),

training_windows as (

    select * from {{ ref('int_customer_value__training_windows') }}

),

-- How many examples a customer will give is known from the first order alone.
first_order_dates as (

    select
        first_order_date,
        count(*) as customer_count
    from customers
    group by first_order_date

),

example_counts as (

    select
        first_order_dates.first_order_date,
        first_order_dates.customer_count,
        count(*) as examples_per_customer
    from first_order_dates
    inner join training_windows on first_order_dates.first_order_date < training_windows.as_of_date
    group by first_order_dates.first_order_date, first_order_dates.customer_count

),

sampling as (

    select 1.2 * {{ var('max_training_rows') }} / sum(customer_count * examples_per_customer) as share
    from example_counts

),

-- A little more than what is needed is drawn by a hash of the key, and then cut off exactly, so
-- that no more than that little has to be sorted.
drawn as (

    select
        customers.customer_id,
        example_counts.examples_per_customer,
        {{ customer_value.hash_fraction("'" ~ var('random_seed') ~ ":' || customers.customer_id") }} as position
    from customers
    inner join example_counts on customers.first_order_date = example_counts.first_order_date

),

counted as (

    select
        drawn.customer_id,
        sum(drawn.examples_per_customer) over (
            order by drawn.position, drawn.customer_id
            rows between unbounded preceding and current row
        ) as example_count
    from drawn
    cross join sampling
    where drawn.position <= sampling.share

)

select customer_id
from counted
where example_count <= {{ var('max_training_rows') }}
