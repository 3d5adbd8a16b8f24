with orders_erased as (

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
        case when not {{ customer_value.is_blank('refunded_order_id') }} then refunded_order_id end as refunded_order_id,
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

-- Of a customer who is erased, that a refund was there is all that stays, with its amount.
anonymised as (

    select
        input_name,
        first_reject_reason,
        currency,
        refund_amount,
        claimed_amount,
        {% for name in ['refund_id', 'order_id', 'customer_id', 'refunded_order_id', 'refunded_at', 'raw_order_id', 'raw_amount', 'raw_refunded_at'] -%}
            case when coalesce(first_reject_reason, '') <> 'erased_customer' then {{ name }} end as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from claims

),

-- What makes a refund itself: its order, and its id; where it has none, all that it says. The id
-- alone would not do: every shop has a refund 1.
keyed as (

    select
        *,
        concat_ws(
            '|',
            order_id,
            coalesce(
                refund_id,
                concat_ws('|', refunded_order_id, cast(refunded_at as {{ dbt.type_string() }}), cast(refund_amount as {{ dbt.type_string() }}))
            )
        ) as claim_key
    from anonymised

)

-- Delivered twice, it was still paid once.
select
    *,
    row_number() over (
        partition by input_name, first_reject_reason, claim_key
        order by refunded_at, refund_amount, order_id, customer_id
    ) as claim_rank
from keyed
