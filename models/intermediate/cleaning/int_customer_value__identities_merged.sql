-- One id stands for each, whatever the list says twice.
select
    customer_id,
    min(canonical_customer_id) as canonical_customer_id
from {{ ref('stg_customer_value__customer_identities') }}
group by customer_id
