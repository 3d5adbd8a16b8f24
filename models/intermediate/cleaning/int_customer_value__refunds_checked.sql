with claims as (

    select * from {{ ref('int_customer_value__refund_claims') }}

),

candidate_orders as (

    select * from {{ ref('int_customer_value__refund_candidates') }}

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
            and coalesce(named.currency = candidate_orders.currency, true)
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

),

decided as (

    select
        matched.*,
        candidate_orders.customer_id as order_customer_id,
        candidate_orders.discount_amount as order_discount_amount,
        candidate_orders.exchange_rate,
        case
            when matched.first_reject_reason is not null then matched.first_reject_reason
            when matched.claim_rank > 1 then 'duplicate_refund'
            when matched.matched_order_id is null then 'refund_without_order'
            -- An order and its refund are compared in one currency, at the order's rate, so that what is
            -- refunded as a whole comes to nothing.
            when matched.currency <> candidate_orders.currency then 'refund_in_other_currency'
            when coalesce(abs({{ customer_value.in_reporting_currency('matched.refund_amount') }}) >= 10000000000000, true) then 'amount_out_of_range'
        end as reject_reason
    from matched
    left join candidate_orders on matched.matched_order_id = candidate_orders.order_id

),

-- What had gone from the order before: its discount and its earlier refunds.
cumulated as (

    select
        *,
        coalesce(order_discount_amount, 0) + coalesce(
            sum(case when reject_reason is null then refund_amount end) over (
                partition by matched_order_id
                order by refunded_at, input_name, claim_key, claim_rank
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as gone_before_amount
    from decided

)

select
    input_name,
    input_name || '|' || claim_key as refund_id,
    matched_order_id as order_id,
    order_customer_id as customer_id,
    refunded_at,
    {% if var('reporting_currency') -%}
        -- The difference of two sums that are each rounded: so however many refunds an order is given
        -- back in, together they come to the cent to what was paid.
        case
            when reject_reason is null
                then
                    {{ customer_value.in_reporting_currency('(gone_before_amount + refund_amount)') }}
                    - {{ customer_value.in_reporting_currency('gone_before_amount') }}
            else {{ customer_value.in_reporting_currency('refund_amount') }}
        end as refund_amount,
    {%- else -%}
        refund_amount,
    {%- endif %}
    order_id as claimed_order_id,
    customer_id as claimed_customer_id,
    refunded_order_id as claimed_refunded_order_id,
    claimed_amount,
    currency as claimed_currency,
    raw_order_id,
    raw_amount,
    raw_refunded_at,
    reject_reason
from cumulated
