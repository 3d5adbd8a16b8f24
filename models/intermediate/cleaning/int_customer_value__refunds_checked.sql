with claims as (

    select * from {{ ref('int_customer_value__refund_claims') }}

),

named_orders as (

    select distinct coalesce(refunded_order_id, order_id) as order_id
    from claims
    where first_reject_reason is null

),

customers_to_search as (

    select distinct customer_id
    from claims
    where first_reject_reason is null and refunded_order_id is null and customer_id is not null

),

-- The few orders that a refund may be of, found at once: without refunds no order is looked at.
candidate_orders as (

    {%- set columns %}
        orders_kept.order_id,
        orders_kept.customer_id,
        orders_kept.ordered_at,
        orders_kept.gross_amount,
        orders_kept.exchange_rate,
        upper(trim(coalesce(orders_kept.original_currency, orders_kept.currency))) as currency
    {%- endset %}

    select {{ columns }}
    from {{ ref('int_customer_value__orders_kept') }} as orders_kept
    inner join named_orders on orders_kept.order_id = named_orders.order_id

    union distinct

    select {{ columns }}
    from {{ ref('int_customer_value__orders_kept') }} as orders_kept
    inner join customers_to_search on orders_kept.customer_id = customers_to_search.customer_id

),

-- The order that is named; of a row of orders that names none, the order of its own id.
named as (

    select
        claims.*,
        candidate_orders.order_id as named_order_id
    from claims
    left join candidate_orders on coalesce(claims.refunded_order_id, claims.order_id) = candidate_orders.order_id

),

-- Else the customer's latest order before it that came to as much.
guessed as (

    select
        named.input_name,
        named.claim_key,
        max_by(candidate_orders.order_id, (candidate_orders.ordered_at, candidate_orders.order_id)) as guessed_order_id
    from named
    inner join candidate_orders
        on
            named.customer_id = candidate_orders.customer_id
            and named.refunded_at >= candidate_orders.ordered_at
            and named.refund_amount <= candidate_orders.gross_amount
    where
        named.named_order_id is null
        and named.refunded_order_id is null
        and named.first_reject_reason is null
    group by named.input_name, named.claim_key

),

matched as (

    select
        named.*,
        coalesce(named.named_order_id, guessed.guessed_order_id) as matched_order_id
    from named
    left join guessed on named.input_name = guessed.input_name and named.claim_key = guessed.claim_key

)

select
    matched.input_name,
    matched.input_name || '|' || matched.claim_key as refund_id,
    matched.matched_order_id as order_id,
    candidate_orders.customer_id,
    matched.refunded_at,
    {{ customer_value.in_reporting_currency('matched.refund_amount') }} as refund_amount,
    matched.order_id as claimed_order_id,
    matched.customer_id as claimed_customer_id,
    matched.refunded_order_id as claimed_refunded_order_id,
    matched.claimed_amount,
    matched.currency as claimed_currency,
    matched.raw_order_id,
    matched.raw_amount,
    matched.raw_refunded_at,
    case
        when matched.first_reject_reason is not null then matched.first_reject_reason
        when matched.claim_rank > 1 then 'duplicate_refund'
        when matched.matched_order_id is null then 'refund_without_order'
        -- An order and its refund are compared in one currency, at the order's rate, so that what is
        -- refunded as a whole comes to nothing.
        when matched.currency <> candidate_orders.currency then 'refund_in_other_currency'
    end as reject_reason
from matched
left join candidate_orders on matched.matched_order_id = candidate_orders.order_id
