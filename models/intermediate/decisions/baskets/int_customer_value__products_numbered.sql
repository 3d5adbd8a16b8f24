select
    product_id,
    cast(row_number() over (order by product_id) as {{ dbt.type_int() }}) as product_number,
    -- Of one category; where lines disagree, always the same one.
    max(category) as category
from {{ ref('order_lines_cleaned') }}
where line_kind = 'sale'
group by product_id
