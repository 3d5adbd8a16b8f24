with customers as (

    select * from {{ ref('stg_customer_value__customers') }}

),

identities as (

    select * from {{ ref('int_customer_value__identities_merged') }}

),

merged as (

    select
        coalesce(identities.canonical_customer_id, customers.customer_id) as customer_id,
        customers.acquired_at,
        customers.acquisition_channel,
        customers.acquisition_cost
    from customers
    left join identities on customers.customer_id = identities.customer_id

),

-- Whoever was won twice counts as won the first time.
ranked as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by
                acquired_at asc nulls last,
                acquisition_cost desc nulls last,
                acquisition_channel asc nulls last
        ) as acquisition_rank
    from merged

)

select
    customer_id,
    acquired_at,
    acquisition_channel,
    acquisition_cost
from ranked
where acquisition_rank = 1
