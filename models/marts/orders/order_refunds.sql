with orders as (

    select * from {{ ref('orders_cleaned') }}
    where refund_amount <> 0

),

-- Refunds that are told of one by one: by the input refunds, and by orders below 0.
told as (

    select
        refund_id,
        order_id,
        refunded_at,
        refund_amount,
        case input_name when 'refunds' then 'refund' else 'order_row' end as refund_source
    from {{ ref('int_customer_value__refunds_checked') }}
    where reject_reason is null

),

-- Where orders are made of lines, so are their refunds, each on the day of its cancellation; unless
-- they are told of.
cancelled as (

    select
        'order_lines|' || order_line_id as refund_id,
        order_id,
        ordered_at as refunded_at,
        refund_amount,
        'order_line' as refund_source
    from {{ ref('order_lines_cleaned') }}
    where
        line_kind = 'cancellation'
        and {{ 'false' if var('inputs').get('orders') else 'true' }}
        and order_id not in (select told.order_id from told)

),

dated as (

    select * from told
    union all
    select * from cancelled

),

dated_totals as (

    select
        order_id,
        sum(refund_amount) as refund_amount
    from dated
    group by order_id

),

-- What an order says was refunded, beyond that: by the time that it was last updated at the latest.
undated as (

    select
        'order_total|' || orders.order_id as refund_id,
        orders.order_id,
        -- Year 1 and year 9999 are what some systems write for never.
        coalesce(
            case when {{ customer_value.is_plausible_time('orders.refunded_at') }} then orders.refunded_at end,
            case when {{ customer_value.is_plausible_time('orders.updated_at') }} then orders.updated_at end,
            orders.ordered_at
        ) as refunded_at,
        orders.refund_amount - coalesce(dated_totals.refund_amount, 0) as refund_amount,
        'order_total' as refund_source
    from orders
    left join dated_totals on orders.order_id = dated_totals.order_id
    where orders.refund_amount <> coalesce(dated_totals.refund_amount, 0)

),

refunds as (

    select * from dated
    union all
    select * from undated

)

select
    refunds.refund_id,
    refunds.order_id,
    orders.customer_id,
    orders.order_date,
    refunds.refunded_at,
    -- No refund is paid before its order: what says so was written in another zone, or in error.
    greatest({{ customer_value.reporting_date('refunds.refunded_at') }}, orders.order_date) as refund_date,
    cast(refunds.refund_amount as {{ customer_value.type_amount() }}) as refund_amount,
    refunds.refund_source,
    {{ customer_value.run_id() }} as run_id
from refunds
inner join orders on refunds.order_id = orders.order_id
