with basket_products as (

    select * from {{ ref('int_customer_value__basket_products') }}

),

baskets as (

    select
        size_band,
        count(distinct basket_number) as order_count
    from basket_products
    group by size_band

),

all_baskets as (

    select sum(order_count) as order_count from baskets

),

products_by_size as (

    select
        product_number,
        size_band,
        count(*) as order_count
    from basket_products
    where product_number is not null
    group by product_number, size_band

),

products as (

    select
        product_number,
        sum(order_count) as order_count
    from products_by_size
    group by product_number

),

-- What could have been a pair: so many have been looked at, whether they were found or not.
looked_at as (

    select count(*) * (count(*) - 1) / 2 as pair_count from products

),

pairs as (

    select
        first_products.product_number as first_product_number,
        second_products.product_number as second_product_number,
        count(*) as together_order_count
    from basket_products as first_products
    inner join basket_products as second_products
        on
            first_products.basket_number = second_products.basket_number
            and first_products.product_number < second_products.product_number
    group by first_products.product_number, second_products.product_number
    having count(*) >= {{ customer_value.fewest_orders_together() }}

),

-- How often they would be together if, among baskets of about a size, neither knew of the other. In
-- a large basket there is more of everything, so that nearly every pair is together more often than
-- shares of all baskets let expect.
expected as (

    select
        pairs.first_product_number,
        pairs.second_product_number,
        sum(
            cast(first_products.order_count as {{ customer_value.type_double() }}) * second_products.order_count / baskets.order_count
            order by first_products.size_band
        ) as expected_order_count
    from pairs
    inner join products_by_size as first_products on pairs.first_product_number = first_products.product_number
    inner join products_by_size as second_products
        on
            pairs.second_product_number = second_products.product_number
            and first_products.size_band = second_products.size_band
    inner join baskets on first_products.size_band = baskets.size_band
    group by pairs.first_product_number, pairs.second_product_number

)

select
    pairs.first_product_number,
    pairs.second_product_number,
    pairs.together_order_count,
    first_products.order_count as first_order_count,
    second_products.order_count as second_order_count,
    all_baskets.order_count,
    expected.expected_order_count,
    looked_at.pair_count
from pairs
inner join expected
    on pairs.first_product_number = expected.first_product_number and pairs.second_product_number = expected.second_product_number
inner join products as first_products on pairs.first_product_number = first_products.product_number
inner join products as second_products on pairs.second_product_number = second_products.product_number
cross join all_baskets
cross join looked_at
