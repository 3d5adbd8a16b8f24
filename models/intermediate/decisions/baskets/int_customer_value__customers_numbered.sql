select
    customer_id,
    cast(row_number() over (order by customer_id) as {{ dbt.type_int() }}) as customer_number,
    sum(order_count) over (order by customer_id rows between unbounded preceding and current row) - order_count as orders_before
from {{ ref('customer_value', 'customers') }}
-- Where there are no lines nobody asks for numbers, and sorting the customers would cost all the same.
where exists (select 1 from {{ ref('order_lines_cleaned') }})
