-- Read only where the project judges orders by a model of its own.
-- depends_on: {{ ref('int_customer_value__orders_checked') }}

-- Finding the few ids that repeat by their hash costs a fraction of ranking every order; two
-- ids that only share a hash are ranked apart below and both are kept. Whether each row is
-- usable is asked of those few alone.
with repeated_hashes as (

    select {{ customer_value.hash_key('order_id') }} as order_id_hash
    from {{ ref('int_customer_value__orders_gathered') }}
    group by {{ customer_value.hash_key('order_id') }}
    having count(*) > 1

),

repeated_rows as (

    select * from {{ ref('int_customer_value__orders_gathered') }}
    where {{ customer_value.hash_key('order_id') }} in (select repeated_hashes.order_id_hash from repeated_hashes)

),

repeated_orders as (
    {% if customer_value.are_all_ours(['int_customer_value__orders_checked']) %}

    {{ customer_value.orders_checked('repeated_rows') | indent }}
    {%- else %}

    select * from {{ ref('int_customer_value__orders_checked') }}
    where {{ customer_value.hash_key('order_id') }} in (select repeated_hashes.order_id_hash from repeated_hashes)
    {%- endif %}

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
            customer_id asc,
            gross_amount asc nulls last,
            discount_amount asc nulls last,
            refund_amount asc nulls last,
            cost_amount asc nulls last,
            refunded_at asc nulls last,
            status asc nulls last,
            currency asc nulls last,
            channel asc nulls last,
            store asc nulls last,
            raw_customer_id asc nulls last,
            raw_ordered_at asc nulls last,
            raw_amount asc nulls last,
            raw_discount_amount asc nulls last,
            raw_refund_amount asc nulls last,
            raw_cost_amount asc nulls last,
            raw_refunded_at asc nulls last,
            raw_updated_at asc nulls last
    ) as version_rank
from repeated_orders
where reject_reason is null and not is_refund
