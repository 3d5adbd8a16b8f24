with order_lines as not materialized (

    select * from {{ ref('int_customer_value__order_lines_checked') }}

),

cancellations as (

    select * from {{ ref('int_customer_value__cancellations_matched') }}

),

rejected as (

    select
        order_lines.*,
        order_lines.reject_reason as final_reject_reason
    from order_lines
    where order_lines.reject_reason is not null

    union all

    -- Goods given back that were never seen to be sold, or not in that quantity.
    select
        order_lines.*,
        'cancellation_without_order' as final_reject_reason
    from order_lines
    left join cancellations on order_lines.order_line_id = cancellations.order_line_id
    where
        order_lines.reject_reason is null
        and order_lines.quantity < 0
        and cancellations.order_line_id is null

)

select
    order_id,
    line_number,
    product_id,
    customer_id,
    final_reject_reason as reject_reason,
    line_amount,
    cast(raw_order_id as {{ dbt.type_string() }}) as raw_order_id,
    cast(raw_product_id as {{ dbt.type_string() }}) as raw_product_id,
    cast(raw_quantity as {{ dbt.type_string() }}) as raw_quantity,
    cast(raw_unit_price as {{ dbt.type_string() }}) as raw_unit_price,
    cast(raw_amount as {{ dbt.type_string() }}) as raw_amount,
    cast(raw_ordered_at as {{ dbt.type_string() }}) as raw_ordered_at
from rejected
