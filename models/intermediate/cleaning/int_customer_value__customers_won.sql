{{ config(materialized='view') }}

with customers as (

    select * from {{ ref('int_customer_value__customers_checked') }}
    where reject_reason is null

),

-- Whoever was won twice counts as won the first time.
ranked as (

    select
        customer_id,
        acquired_at,
        case when not {{ customer_value.is_blank('acquisition_channel') }} then acquisition_channel end as acquisition_channel,
        acquisition_cost,
        row_number() over (
            partition by customer_id
            order by
                acquired_at asc nulls last,
                acquisition_cost desc nulls last,
                acquisition_channel asc nulls last
        ) as acquisition_rank
    from customers

)

select
    customer_id,
    acquired_at,
    acquisition_channel,
    acquisition_cost
from ranked
where acquisition_rank = 1
