{{ config(materialized='view') }}

-- One id stands for each, whatever the list says twice.
with identities as (

    select
        customer_id,
        min(canonical_customer_id) as canonical_customer_id
    from {{ ref('stg_customer_value__customer_identities') }}
    where customer_id is not null and canonical_customer_id is not null and trim(canonical_customer_id) <> ''
    group by customer_id

)

-- Ids are merged one after the other, so that the one that stands for another may have been
-- merged itself: followed up to four times.
select
    first_step.customer_id,
    coalesce(
        fourth_step.canonical_customer_id,
        third_step.canonical_customer_id,
        second_step.canonical_customer_id,
        first_step.canonical_customer_id
    ) as canonical_customer_id
from identities as first_step
left join identities as second_step on first_step.canonical_customer_id = second_step.customer_id
left join identities as third_step on second_step.canonical_customer_id = third_step.customer_id
left join identities as fourth_step on third_step.canonical_customer_id = fourth_step.customer_id
