-- Every customer is in one segment, and a segment's profile is of its customers and all their money.
with profiles as (

    select
        coalesce(sum(customer_count), 0) as customer_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('segment_profiles') }}

),

segments as (

    select count(*) as customer_count from {{ ref('customer_segments') }}

),

customers as (

    select
        count(*) as customer_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('customer_value', 'customers') }}

)

select
    profiles.customer_count as profiled_customer_count,
    segments.customer_count as segmented_customer_count,
    customers.customer_count
from profiles
cross join segments
cross join customers
where
    profiles.customer_count <> customers.customer_count
    or segments.customer_count <> customers.customer_count
    or profiles.net_amount <> customers.net_amount
