with products_ordered as (

    select * from {{ ref('int_customer_value__products_ordered') }}

),

products as (

    select * from {{ ref('int_customer_value__products_numbered') }}

),

sold as (

    select
        product_number,
        count(*) as order_count,
        count(distinct customer_number) as customer_count,
        cast(sum(net_amount) as {{ customer_value.type_amount() }}) as net_amount
    from products_ordered
    group by product_number

)

select
    products.product_id,
    products.product_number,
    products.category,
    sold.order_count,
    sold.customer_count,
    sold.net_amount
from sold
inner join products on sold.product_number = products.product_number
