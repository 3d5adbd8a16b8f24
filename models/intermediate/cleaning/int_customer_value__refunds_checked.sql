with orders_kept as (

    select
        order_id,
        customer_id,
        ordered_at,
        gross_amount,
        exchange_rate,
        upper(trim(coalesce(original_currency, currency))) as currency
    from {{ ref('int_customer_value__orders_kept') }}

),

orders_erased as (

    select * from {{ ref('int_customer_value__orders_erased') }}

),

-- What gives money back: rows of the input refunds, and rows of the input orders that are refunds.
claims as (

    select
        'refunds' as input_name,
        refunds.refund_id,
        refunds.order_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as {{ dbt.type_string() }}) as refunded_order_id,
        upper(trim(refunds.currency)) as currency,
        refunds.refund_amount,
        refunds.refund_amount as claimed_amount,
        refunds.refunded_at,
        cast(refunds.raw_order_id as {{ dbt.type_string() }}) as raw_order_id,
        cast(refunds.raw_amount as {{ dbt.type_string() }}) as raw_amount,
        cast(refunds.raw_refunded_at as {{ dbt.type_string() }}) as raw_refunded_at,
        case
            when orders_erased.order_id is not null then 'erased_customer'
            when refunds.order_id is null or {{ customer_value.is_blank('refunds.order_id') }} then 'missing_order_id'
            when {{ customer_value.is_unreadable('refunds.refunded_at', 'refunds.raw_refunded_at') }} then 'unparseable_refunded_at'
            when refunds.refunded_at is null then 'missing_refunded_at'
            when {{ customer_value.is_unreadable('refunds.refund_amount', 'refunds.raw_amount') }} then 'unparseable_amount'
            when refunds.refund_amount is null then 'missing_amount'
            when refunds.refund_amount <= 0 then 'negative_amount'
            when {{ customer_value.is_out_of_range(['refunds.refund_amount']) }} then 'amount_out_of_range'
            when not {{ customer_value.is_plausible_time('refunds.refunded_at') }} then 'implausible_refunded_at'
            when refunds.refunded_at >= {{ customer_value.as_of_date_limit() }} then 'after_as_of_date'
        end as first_reject_reason
    from {{ ref('stg_customer_value__refunds') }} as refunds
    left join orders_erased on refunds.order_id = orders_erased.order_id

    union all

    select
        'orders' as input_name,
        cast(null as {{ dbt.type_string() }}) as refund_id,
        order_id,
        customer_id,
        refunded_order_id,
        currency_code as currency,
        abs(gross_amount) as refund_amount,
        gross_amount as claimed_amount,
        ordered_at as refunded_at,
        cast(raw_order_id as {{ dbt.type_string() }}) as raw_order_id,
        cast(raw_amount as {{ dbt.type_string() }}) as raw_amount,
        cast(raw_ordered_at as {{ dbt.type_string() }}) as raw_refunded_at,
        exclusion_reason as first_reject_reason
    from {{ ref('int_customer_value__orders_checked') }}
    where is_refund and reject_reason is null

),

-- Delivered twice, it was still paid once.
numbered as (

    select
        *,
        coalesce(
            refund_id,
            concat_ws('|', order_id, refunded_order_id, cast(refunded_at as {{ dbt.type_string() }}), cast(refund_amount as {{ dbt.type_string() }}))
        ) as claim_key,
        row_number() over (
            partition by
                input_name,
                first_reject_reason,
                coalesce(
                    refund_id,
                    concat_ws('|', order_id, refunded_order_id, cast(refunded_at as {{ dbt.type_string() }}), cast(refund_amount as {{ dbt.type_string() }}))
                )
            order by refunded_at, refund_amount, order_id, customer_id
        ) as claim_rank
    from claims

),

-- The order that is named; of a row of orders that names none, the order of its own id.
named as (

    select
        numbered.*,
        orders_kept.order_id as named_order_id
    from numbered
    left join orders_kept on coalesce(numbered.refunded_order_id, numbered.order_id) = orders_kept.order_id

),

-- Else the customer's latest order before it that came to as much.
guessed as (

    select
        named.input_name,
        named.claim_key,
        max_by(orders_kept.order_id, (orders_kept.ordered_at, orders_kept.order_id)) as guessed_order_id
    from named
    inner join orders_kept
        on
            named.customer_id = orders_kept.customer_id
            and named.refunded_at >= orders_kept.ordered_at
            and named.refund_amount <= orders_kept.gross_amount
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

{%- set stays = "matched.first_reject_reason is distinct from 'erased_customer'" %}

-- Of a customer who is erased, that a refund was there is all that stays, with its amount.
select
    matched.input_name,
    case when {{ stays }} then matched.input_name || '|' || matched.claim_key end as refund_id,
    matched.matched_order_id as order_id,
    orders_kept.customer_id,
    {{ customer_value.in_reporting_currency('matched.refund_amount') }} as refund_amount,
    matched.claimed_amount,
    matched.currency as claimed_currency,
    matched.customer_id as claimed_customer_id,
    matched.refunded_order_id as claimed_refunded_order_id,
    case when {{ stays }} then matched.order_id end as claimed_order_id,
    {% for name in ['refunded_at', 'raw_order_id', 'raw_amount', 'raw_refunded_at'] -%}
        case when {{ stays }} then matched.{{ name }} end as {{ name }},
    {% endfor -%}
    case
        when matched.first_reject_reason is not null then matched.first_reject_reason
        when matched.claim_rank > 1 then 'duplicate_refund'
        when matched.matched_order_id is null then 'refund_without_order'
        -- An order and its refund are compared in one currency, at the order's rate, so that what is
        -- refunded as a whole comes to nothing.
        when matched.currency <> orders_kept.currency then 'refund_in_other_currency'
        when coalesce(abs({{ customer_value.in_reporting_currency('matched.refund_amount') }}) >= 10000000000000, true) then 'amount_out_of_range'
    end as reject_reason
from matched
left join orders_kept on matched.matched_order_id = orders_kept.order_id
