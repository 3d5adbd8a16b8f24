{#- Of a larger basket every pair would count: a wholesaler's, which says little of what goes together. -#}
{%- set largest_basket = 100 -%}
{#- Pairs that are counted one by one, whatever the size of the shop. -#}
{%- set most_pairs = 100000000 -%}
{%- set double = customer_value.type_double() -%}

-- No pair is together more often than either of it is bought (Agrawal and Srikant, VLDB 1994).
with frequent_products as (

    select * from {{ ref('int_customer_value__products_sold') }}
    where order_count >= {{ customer_value.fewest_orders_together() }}

),

-- An order that holds no frequent product is still one in which a pair might have been.
products_ordered as (

    select
        products_ordered.order_id,
        frequent_products.product_number
    from {{ ref('int_customer_value__products_ordered') }} as products_ordered
    left join frequent_products on products_ordered.product_id = frequent_products.product_id

),

baskets as (

    select
        order_id,
        row_number() over (order by order_id) as basket_number,
        count(product_number) as product_count
    from products_ordered
    group by order_id
    having count(product_number) <= {{ largest_basket }}

),

sampling as (

    select {{ most_pairs }} / nullif(cast(sum(product_count * (product_count - 1) / 2) as {{ double }}), 0) as sampled_share
    from baskets

),

sampled_baskets as (

    select baskets.*
    from baskets
    cross join sampling
    where
        coalesce(sampling.sampled_share, 1) >= 1
        or {{ customer_value.hash_fraction("'basket:' || baskets.order_id") }} < sampling.sampled_share

)

select
    sampled_baskets.basket_number,
    products_ordered.product_number,
    -- 1, 2 to 3, 4 to 7, and so on.
    cast(floor(log2(greatest(sampled_baskets.product_count, 1))) as {{ dbt.type_int() }}) as size_band
from sampled_baskets
inner join products_ordered on sampled_baskets.order_id = products_ordered.order_id
where products_ordered.product_number is not null or sampled_baskets.product_count = 0
group by sampled_baskets.basket_number, products_ordered.product_number, sampled_baskets.product_count
