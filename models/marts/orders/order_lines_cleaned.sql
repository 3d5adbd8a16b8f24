{%- set columns %}
        order_lines.order_line_id,
        order_lines.line_number,
        order_lines.product_id,
        order_lines.customer_id,
        order_lines.category,
        order_lines.ordered_at,
        order_lines.quantity,
        order_lines.unit_price,
        order_lines.discount_amount,
        order_lines.cost_amount,
        order_lines.currency,
        order_lines.channel,
        order_lines.store
{%- endset -%}

with order_lines as not materialized (

    select * from {{ ref('int_customer_value__order_lines_checked') }}
    where reject_reason is null

),

cancellations as (

    select * from {{ ref('int_customer_value__cancellations_matched') }}

),

sales as (

    select
        {{ columns }},
        order_lines.order_id,
        'sale' as line_kind,
        cast(null as {{ dbt.type_string() }}) as cancelled_by_order_id,
        order_lines.line_amount as gross_amount,
        cast(0 as {{ customer_value.type_amount() }}) as refund_amount
    from order_lines
    where order_lines.quantity >= 0

),

-- A cancellation stands with the order that it takes goods back from.
taken_back as (

    select
        {{ columns }},
        cancellations.sold_in_order_id as order_id,
        'cancellation' as line_kind,
        order_lines.order_id as cancelled_by_order_id,
        cast(0 as {{ customer_value.type_amount() }}) as gross_amount,
        -order_lines.line_amount as refund_amount
    from order_lines
    inner join cancellations on order_lines.order_line_id = cancellations.order_line_id
    where order_lines.quantity < 0

),

lines as (

    select * from sales
    union all
    select * from taken_back

)

select
    order_line_id,
    order_id,
    line_number,
    line_kind,
    product_id,
    customer_id,
    category,
    ordered_at,
    quantity,
    unit_price,
    gross_amount,
    discount_amount,
    refund_amount,
    cost_amount,
    currency,
    channel,
    store,
    cancelled_by_order_id
from lines
