{#- Of each kind a customer's best so many are looked at; the fewer of the popular, the larger the shop. -#}
{%- set most_candidates = 60 -%}
{%- set double = customer_value.type_double() -%}

with customer_products as (

    select * from {{ ref('int_customer_value__customer_products') }}

),

item_neighbours as (

    select * from {{ ref('int_customer_value__item_neighbours') }}

),

customer_neighbours as (

    select * from {{ ref('int_customer_value__customer_neighbours') }}

),

customers as (

    select
        split,
        customer_number
    from customer_products
    group by split, customer_number

),

products as (

    select
        split,
        product_number,
        customer_count,
        recent_customer_count,
        -- Strawberries have their weeks: what few of a product's customers bought lately is offered less.
        cast(
            round(1000 * sqrt((recent_customer_count + 1) / cast(customer_count + 20 as {{ double }}))) as {{ dbt.type_bigint() }}
        ) as season_thousandths
    from customer_products
    group by split, product_number, customer_count, recent_customer_count

),

popular as (

    select
        *,
        row_number() over (partition by split order by recent_customer_count desc, customer_count desc, product_number) as popularity_rank
    from products

),

-- What everybody buys now, as far as it goes beyond what the customer has.
popular_offers as (

    select
        customers.split,
        customers.customer_number,
        popular.product_number
    from customers
    inner join popular
        on
            customers.split = popular.split
            and popular.popularity_rank <= 2 * {{ most_candidates }}
    left join customer_products
        on
            customers.split = customer_products.split
            and customers.customer_number = customer_products.customer_number
            and popular.product_number = customer_products.product_number
    where customer_products.product_number is null
    qualify
        row_number() over (partition by customers.split, customers.customer_number order by popular.popularity_rank) <= {{ most_candidates }}

),

-- A product's neighbours that the customer has bought speak for it; the nearest is the reason.
item_scores as (

    select
        compared.split,
        compared.customer_number,
        item_neighbours.product_number,
        cast(sum(item_neighbours.similarity_millionths) as {{ dbt.type_bigint() }}) as similarity_millionths,
        max(item_neighbours.similarity_millionths * 100000000 + compared.product_number) as nearest_product
    from customer_products as compared
    inner join item_neighbours
        on compared.split = item_neighbours.split and compared.product_number = item_neighbours.neighbour_product_number
    where compared.is_compared
    group by compared.split, compared.customer_number, item_neighbours.product_number

),

item_offers as (

    select
        item_scores.*,
        item_scores.similarity_millionths * products.season_thousandths as item_score
    from item_scores
    inner join products on item_scores.split = products.split and item_scores.product_number = products.product_number
    left join customer_products
        on
            item_scores.split = customer_products.split
            and item_scores.customer_number = customer_products.customer_number
            and item_scores.product_number = customer_products.product_number
    where customer_products.product_number is null
    qualify
        row_number() over (
            partition by item_scores.split, item_scores.customer_number
            order by item_scores.similarity_millionths * products.season_thousandths desc, item_scores.product_number
        ) <= {{ most_candidates }}

),

-- What customers who are alike have bought.
customer_scores as (

    select
        customer_neighbours.split,
        customer_neighbours.customer_number,
        compared.product_number,
        cast(sum(customer_neighbours.similarity_millionths) as {{ dbt.type_bigint() }}) as similarity_millionths,
        count(*) as neighbour_count
    from customer_neighbours
    inner join customer_products as compared
        on
            customer_neighbours.split = compared.split
            and customer_neighbours.neighbour_customer_number = compared.customer_number
    where compared.is_compared
    group by customer_neighbours.split, customer_neighbours.customer_number, compared.product_number

),

customer_offers as (

    select
        customer_scores.*,
        customer_scores.similarity_millionths * products.season_thousandths as customer_score
    from customer_scores
    inner join products on customer_scores.split = products.split and customer_scores.product_number = products.product_number
    left join customer_products
        on
            customer_scores.split = customer_products.split
            and customer_scores.customer_number = customer_products.customer_number
            and customer_scores.product_number = customer_products.product_number
    where customer_products.product_number is null
    qualify
        row_number() over (
            partition by customer_scores.split, customer_scores.customer_number
            order by customer_scores.similarity_millionths * products.season_thousandths desc, customer_scores.product_number
        ) <= {{ most_candidates }}

),

offers as (

    select
        split,
        customer_number,
        product_number,
        0 as item_score,
        cast(null as {{ dbt.type_bigint() }}) as nearest_product,
        0 as customer_score,
        0 as neighbour_count
    from popular_offers

    union all

    select
        split,
        customer_number,
        product_number,
        item_score,
        nearest_product,
        0 as customer_score,
        0 as neighbour_count
    from item_offers

    union all

    select
        split,
        customer_number,
        product_number,
        0 as item_score,
        null as nearest_product,
        customer_score,
        neighbour_count
    from customer_offers

),

gathered as (

    select
        split,
        customer_number,
        product_number,
        max(item_score) as item_score,
        max(nearest_product) as nearest_product,
        max(customer_score) as customer_score,
        max(neighbour_count) as neighbour_count
    from offers
    group by split, customer_number, product_number

)

select
    gathered.split,
    gathered.customer_number,
    gathered.product_number,
    popular.recent_customer_count,
    popular.popularity_rank,
    gathered.neighbour_count,
    cast(gathered.nearest_product % 100000000 as {{ dbt.type_int() }}) as nearest_product_number,
    -- Each beside the best of the customer's, so that they can be added.
    {% for name, column in [
        ('popularity', 'popular.recent_customer_count'), ('item', 'gathered.item_score'), ('customer', 'gathered.customer_score'),
    ] -%}
        coalesce(
            cast({{ column }} as {{ double }})
            / nullif(max({{ column }}) over (partition by gathered.split, gathered.customer_number), 0), 0
        ) as {{ name }}_score
        {{- ',' if not loop.last }}
    {% endfor %}
from gathered
inner join popular on gathered.split = popular.split and gathered.product_number = popular.product_number
