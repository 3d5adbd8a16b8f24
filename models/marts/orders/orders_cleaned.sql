with orders_checked as (

    select * from {{ ref('int_customer_value__orders_checked') }}
    where reject_reason is null

),

orders_repeated as (

    select * from {{ ref('int_customer_value__orders_repeated') }}

),

kept_orders as (

    {%- set columns %}
        order_id,
        customer_id,
        ordered_at,
        gross_amount,
        coalesce(discount_amount, 0) as discount_amount,
        -- An order that came back as a whole is refunded as a whole, where no more is said of it.
        coalesce(
            refund_amount,
            case when order_status = 'returned' then gross_amount - coalesce(discount_amount, 0) else 0 end
        ) as refund_amount,
        cost_amount,
        currency,
        channel,
        store,
        status,
        updated_at
    {%- endset %}

    -- Rows whose id only shares its hash with another are among the repeated ones, each the
    -- latest version of itself: so no row is lost and none is kept twice.
    select {{ columns }}
    from orders_checked
    where
        exclusion_reason is null
        and {{ customer_value.hash_key('order_id') }} not in (
            select {{ customer_value.hash_key('order_id') }} from orders_repeated
        )

    union all

    select {{ columns }}
    from orders_repeated
    where version_rank = 1 and exclusion_reason is null

),

-- One sort of the orders serves every column that looks back. Ties in time end in the key.
sequenced as (

    select
        *,
        row_number() over customer_history as order_number,
        lag(ordered_at) over customer_history as previous_ordered_at,
        first_value(ordered_at) over customer_history as first_ordered_at
    from kept_orders
    window customer_history as (partition by customer_id order by ordered_at, order_id)

)

select
    order_id,
    customer_id,
    ordered_at,
    gross_amount,
    cast(discount_amount as {{ customer_value.type_amount() }}) as discount_amount,
    cast(refund_amount as {{ customer_value.type_amount() }}) as refund_amount,
    cast(gross_amount - discount_amount - refund_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(
        case
            when cost_amount is not null then gross_amount - discount_amount - refund_amount - cost_amount
            else {{ customer_value.at_rate('gross_amount - discount_amount - refund_amount', var('gross_margin_rate')) }}
        end
        as {{ customer_value.type_amount() }}
    ) as margin_amount,
    currency,
    channel,
    store,
    status,
    updated_at,
    cast(order_number as {{ dbt.type_int() }}) as order_number,
    order_number = 1 as is_first_order,
    cast({{ dbt.datediff('previous_ordered_at', 'ordered_at', 'day') }} as {{ dbt.type_int() }}) as days_since_previous_order,
    cast(date_trunc('month', first_ordered_at) as date) as cohort_month
from sequenced
