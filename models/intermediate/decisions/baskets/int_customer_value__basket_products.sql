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
        products_ordered.basket_number,
        frequent_products.product_number
    from {{ ref('int_customer_value__products_ordered') }} as products_ordered
    left join frequent_products on products_ordered.product_number = frequent_products.product_number

),

baskets as (

    select
        basket_number,
        count(product_number) as product_count
    from products_ordered
    group by basket_number
    having count(product_number) <= {{ largest_basket }}

),

sampling as (

    select {{ most_pairs }} / nullif(cast(sum(product_count * (product_count - 1) / 2) as {{ double }}), 0) as sampled_share
    from baskets

),

-- By its id, so that a basket stays in the sample whatever else there is.
sampled_baskets as (

    select baskets.*
    from baskets
    inner join {{ ref('int_customer_value__orders_numbered') }} as orders on baskets.basket_number = orders.basket_number
    cross join sampling
    where
        coalesce(sampling.sampled_share, 1) >= 1
        or {{ customer_value.hash_fraction("'basket:' || orders.order_id") }} < sampling.sampled_share

)

-- Of an order without a frequent product there is one row.
select
    sampled_baskets.basket_number,
    products_ordered.product_number,
    -- 1, 2 to 3, 4 to 7, and so on.
    cast(floor(log2(greatest(sampled_baskets.product_count, 1))) as {{ dbt.type_int() }}) as size_band
from sampled_baskets
inner join products_ordered on sampled_baskets.basket_number = products_ordered.basket_number
where products_ordered.product_number is not null

union all

select
    basket_number,
    null as product_number,
    0 as size_band
from sampled_baskets
where product_count = 0
