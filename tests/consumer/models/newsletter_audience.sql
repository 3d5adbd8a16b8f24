-- One row per customer, with what the newsletter is chosen by. Of two models of one name, `ref`
-- means ours; theirs is named with its package.
with our_customers as (

    select * from {{ ref('customers') }}

),

customer_cltv as (

    select * from {{ ref('customer_value', 'customer_cltv') }}

),

customer_tiers as (

    select * from {{ ref('customer_value', 'customer_tiers') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

)

select
    our_customers.client,
    our_customers.first_seen_at,
    customer_cltv.predicted_value,
    customer_tiers.tier,
    customer_rfm.rfm_segment
from our_customers
inner join customer_cltv on our_customers.client = customer_cltv.customer_id
inner join customer_tiers on our_customers.client = customer_tiers.customer_id
inner join customer_rfm on our_customers.client = customer_rfm.customer_id
