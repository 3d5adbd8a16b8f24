with customers as (

    select * from {{ ref('stg_customer_value__customers') }}

),

customer_identities as (

    select
        customer_id,
        min(canonical_customer_id) as canonical_customer_id
    from {{ ref('stg_customer_value__customer_identities') }}
    group by customer_id

),

merged as (

    select
        coalesce(customer_identities.canonical_customer_id, customers.customer_id) as customer_id,
        customers.acquired_at,
        customers.acquisition_channel,
        customers.acquisition_cost
    from customers
    left join customer_identities on customers.customer_id = customer_identities.customer_id

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
