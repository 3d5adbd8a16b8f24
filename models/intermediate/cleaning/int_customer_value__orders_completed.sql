{{ config(materialized='view') }}

with orders_kept as (

    select * from {{ ref('int_customer_value__orders_kept') }}

),

orders_filled as (

    select * from {{ ref('int_customer_value__orders_filled') }}

),

refunds as (

    select
        order_id,
        sum(refund_amount) as refund_amount
    from {{ ref('int_customer_value__refunds_checked') }}
    where reject_reason is null
    group by order_id

),

amount_limits as (

    select * from {{ ref('int_customer_value__amount_limits') }}

),

completed as (

    select
        orders_kept.order_id,
        orders_kept.customer_id,
        orders_kept.ordered_at,
        orders_kept.order_date,
        coalesce(orders_kept.gross_amount, orders_filled.gross_amount) as gross_amount,
        coalesce(orders_kept.discount_amount, orders_filled.discount_amount, 0) as discount_amount,
        orders_kept.refund_amount,
        refunds.refund_amount as known_refund_amount,
        coalesce(orders_kept.cost_amount, orders_filled.cost_amount) as cost_amount,
        orders_kept.currency,
        orders_kept.original_currency,
        orders_kept.original_gross_amount,
        orders_kept.exchange_rate,
        coalesce(orders_kept.channel, orders_filled.channel) as channel,
        orders_kept.store,
        orders_kept.status,
        orders_kept.order_status,
        orders_kept.refunded_at,
        orders_kept.updated_at,
        orders_filled.imputed_columns,
        coalesce(orders_kept.original_gross_amount, orders_kept.gross_amount) > amount_limits.highest_amount
        or (
            coalesce(orders_kept.original_gross_amount, orders_kept.gross_amount) < amount_limits.lowest_amount
            and orders_kept.gross_amount > 0
        ) as is_beyond_limits
    from orders_kept
    left join orders_filled on orders_kept.order_id = orders_filled.order_id
    left join refunds on orders_kept.order_id = refunds.order_id
    left join amount_limits
        on coalesce(orders_kept.original_currency, upper(trim(orders_kept.currency)), '') = amount_limits.currency
    -- An amount that is missing and can't be filled leaves nothing to count: orders_rejected has it.
    where orders_kept.gross_amount is not null or orders_filled.gross_amount is not null

),

-- What an order says of its own refunds, and what the refunds themselves add up to, are two
-- accounts of the same money: the larger of the two counts, never their sum.
refunded as (

    select
        *,
        case
            when known_refund_amount is null then own_refund_amount
            else greatest(own_refund_amount, known_refund_amount)
        end as total_refund_amount
    from (
        select
            *,
            -- An order that came back as a whole is refunded as a whole, where no more is said of it. On
            -- the as_of_date it is not yet known to come back later.
            case
                when refunded_at >= {{ customer_value.as_of_date_limit() }} then 0
                else
                    coalesce(
                        refund_amount,
                        case when order_status = 'returned' then gross_amount - discount_amount else 0 end
                    )
            end as own_refund_amount
        from completed
    ) as with_own_refund

)

select
    order_id,
    customer_id,
    ordered_at,
    order_date,
    gross_amount,
    cast(discount_amount as {{ customer_value.type_amount() }}) as discount_amount,
    cast(total_refund_amount as {{ customer_value.type_amount() }}) as refund_amount,
    cast(gross_amount - discount_amount - total_refund_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(
        case
            when cost_amount is not null then gross_amount - discount_amount - total_refund_amount - cost_amount
            else {{ customer_value.at_rate('gross_amount - discount_amount - total_refund_amount', var('gross_margin_rate')) }}
        end
        as {{ customer_value.type_amount() }}
    ) as margin_amount,
    currency,
    original_currency,
    original_gross_amount,
    exchange_rate,
    channel,
    store,
    status,
    refunded_at,
    updated_at,
    coalesce(is_beyond_limits, false) as is_outlier,
    imputed_columns is not null as is_imputed,
    imputed_columns
from refunded
