with order_lines as (

    select * from {{ ref('order_lines_cleaned') }}

)

-- Where orders are given, lines only say what was in them, and no order is made of lines.
select
    order_id,
    customer_id,
    min(case when line_kind = 'sale' then ordered_at end) as ordered_at,
    cast(sum(gross_amount) as {{ customer_value.type_amount() }}) as gross_amount,
    cast(sum(discount_amount) as {{ customer_value.type_amount() }}) as discount_amount,
    cast(sum(refund_amount) as {{ customer_value.type_amount() }}) as refund_amount,
    -- Known only where it is of every line sold: half a cost is none.
    case
        when count(case when line_kind = 'sale' and cost_amount is null then 1 end) = 0
            then cast(sum(case when line_kind = 'sale' then cost_amount end) as {{ customer_value.type_amount() }})
    end as cost_amount,
    max(currency) as currency,
    max(channel) as channel,
    max(store) as store
from order_lines
where {{ 'false' if var('inputs').get('orders') else 'true' }}
group by order_id, customer_id
having count(case when line_kind = 'sale' then 1 end) > 0
