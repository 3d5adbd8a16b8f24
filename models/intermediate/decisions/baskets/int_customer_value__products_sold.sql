with products_ordered as (

    select * from {{ ref('int_customer_value__products_ordered') }}

)

select
    product_id,
    -- Numbers are joined and grouped in a fraction of the time that texts take.
    cast(row_number() over (order by product_id) as {{ dbt.type_int() }}) as product_number,
    -- Of one category; where lines disagree, always the same one.
    max(category) as category,
    count(*) as order_count,
    count(distinct customer_id) as customer_count,
    cast(sum(net_amount) as {{ customer_value.type_amount() }}) as net_amount
from products_ordered
group by product_id
