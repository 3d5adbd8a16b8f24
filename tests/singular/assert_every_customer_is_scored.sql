-- Customers, churn, value and tiers are of the very same customers.
with keys as (

    select
        customer_id,
        'customers' as table_name
    from {{ ref('customer_value', 'customers') }}
    union all
    select
        customer_id,
        'customer_rfm' as table_name
    from {{ ref('customer_rfm') }}
    union all
    select
        customer_id,
        'customer_churn' as table_name
    from {{ ref('customer_churn') }}
    union all
    select
        customer_id,
        'customer_cltv' as table_name
    from {{ ref('customer_cltv') }}
    union all
    select
        customer_id,
        'customer_tiers' as table_name
    from {{ ref('customer_tiers') }}

)

select
    customer_id,
    count(*) as table_count
from keys
group by customer_id
having count(*) <> 5
