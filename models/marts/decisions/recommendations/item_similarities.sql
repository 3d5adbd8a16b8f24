with neighbours as (

    select * from {{ ref('int_customer_value__item_neighbours') }}
    where windows_back = 0

),

products as (

    select * from {{ ref('int_customer_value__products_sold') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

select
    products.product_id,
    products.category,
    similar_products.product_id as similar_product_id,
    similar_products.category as similar_category,
    cast(neighbours.similarity_rank as {{ dbt.type_int() }}) as similarity_rank,
    round(neighbours.similarity_millionths / cast(1000000 as {{ customer_value.type_double() }}), 6) as similarity,
    cast(neighbours.common_customer_count as {{ dbt.type_bigint() }}) as common_customer_count,
    run.as_of_date,
    run.run_id
from neighbours
inner join products on neighbours.product_number = products.product_number
inner join products as similar_products on neighbours.neighbour_product_number = similar_products.product_number
cross join run
