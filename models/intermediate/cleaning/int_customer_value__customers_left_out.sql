{{ config(materialized='view') }}

-- A view, so that no table holds who is erased.
with identities as (

    select * from {{ ref('int_customer_value__identities_merged') }}

),

named as (

    select
        customer_id,
        'erased_customer' as reason
    from {{ ref('stg_customer_value__erased_customers') }}

    union all

    select
        customer_id,
        'excluded_customer' as reason
    from {{ ref('stg_customer_value__excluded_customers') }}

),

-- Whoever has several ids is left out under each of them, whichever one was named.
people as (

    select
        coalesce(identities.canonical_customer_id, named.customer_id) as customer_id,
        named.reason
    from named
    left join identities on named.customer_id = identities.customer_id
    where named.customer_id is not null and trim(named.customer_id) <> ''

),

all_ids as (

    select
        customer_id,
        reason
    from people

    union all

    select
        identities.customer_id,
        people.reason
    from people
    inner join identities on people.customer_id = identities.canonical_customer_id

)

-- Erasure comes before exclusion, as in the alphabet.
select
    customer_id,
    min(reason) as reason
from all_ids
group by customer_id
