with usable_orders as (

    select * from {{ ref('int_customer_value__orders_checked') }}
    where reject_reason is null

),

-- Finding the few ids that repeat by their hash costs a fraction of ranking every order; two
-- ids that only share a hash are ranked apart below and both are kept.
repeated_hashes as (

    select {{ customer_value.hash_key('order_id') }} as order_id_hash
    from usable_orders
    group by {{ customer_value.hash_key('order_id') }}
    having count(*) > 1

),

repeated_orders as (

    select usable_orders.*
    from usable_orders
    inner join repeated_hashes
        on {{ customer_value.hash_key('usable_orders.order_id') }} = repeated_hashes.order_id_hash

)

-- The latest version first. Rows that are alike up to here are alike in every column that
-- counts, so which of them is kept changes nothing.
select
    *,
    row_number() over (
        partition by order_id
        order by
            updated_at desc nulls last,
            ordered_at desc,
            customer_id,
            gross_amount,
            discount_amount nulls last,
            refund_amount nulls last,
            cost_amount nulls last,
            status nulls last,
            currency nulls last,
            channel nulls last,
            store nulls last,
            raw_ordered_at,
            raw_amount,
            raw_discount_amount nulls last,
            raw_refund_amount nulls last,
            raw_cost_amount nulls last,
            raw_updated_at nulls last
    ) as version_rank
from repeated_orders
