{#- A score and a product in one number, so that the largest numbers are the best products, and of
    equals the first. -#}
{%- set room_for_product = 16777216 -%}
{%- set double = customer_value.type_double() -%}
{%- set bigint = dbt.type_bigint() -%}

with splits as (

    select * from {{ ref('int_customer_value__recommendation_splits') }}

),

customer_products as (

    select * from {{ ref('int_customer_value__customer_products') }}

),

judged as (

    select
        windows_back,
        customer_number,
        product_number
    from customer_products
    where is_judged and is_compared

),

compared as (

    select
        windows_back,
        customer_number,
        product_number
    from customer_products
    where is_compared

),

-- What nearly all buy is near to thousands of products: it speaks for the nearest of them alone, or
-- work would grow with customers times products.
item_neighbours as (

    select ranked.*
    from (
        select
            *,
            row_number() over (
                partition by windows_back, neighbour_product_number
                order by similarity_millionths desc, product_number asc
            ) as spoken_for_rank
        from {{ ref('int_customer_value__item_neighbours') }}
    ) as ranked
    inner join splits on ranked.windows_back = splits.windows_back
    where ranked.spoken_for_rank <= splits.spoken_for_count

),

customer_neighbours as (

    select * from {{ ref('int_customer_value__customer_neighbours') }}

),

products as (

    select
        windows_back,
        product_number,
        customer_count,
        recent_customer_count,
        -- Strawberries have their weeks: what few of a product's customers bought lately is offered less.
        cast(round(1000 * sqrt((recent_customer_count + 1) / cast(customer_count + 20 as {{ double }}))) as {{ bigint }}) as season_thousandths
    from customer_products
    group by windows_back, product_number, customer_count, recent_customer_count

),

popular as (

    select
        *,
        row_number() over (
            partition by windows_back
            order by recent_customer_count desc, customer_count desc, product_number asc
        ) as popularity_rank
    from products

),

customers as (

    select distinct
        windows_back,
        customer_number
    from judged

),

-- What all buy lately, as far as it goes beyond what the customer has.
popular_offers as (

    select
        customers.windows_back,
        customers.customer_number,
        popular.product_number,
        0 as item_score,
        0 as customer_score
    from customers
    inner join splits on customers.windows_back = splits.windows_back
    inner join popular
        on
            splits.windows_back = popular.windows_back
            and popular.popularity_rank <= 2 * splits.candidate_count

),

-- A product's neighbours that the customer has bought speak for it.
item_scores as (

    select
        judged.windows_back,
        judged.customer_number,
        item_neighbours.product_number,
        sum(item_neighbours.similarity_millionths) as similarity_millionths
    from judged
    inner join item_neighbours
        on judged.windows_back = item_neighbours.windows_back and judged.product_number = item_neighbours.neighbour_product_number
    group by judged.windows_back, judged.customer_number, item_neighbours.product_number

),

-- And so does what customers who are alike have bought.
customer_scores as (

    select
        customer_neighbours.windows_back,
        customer_neighbours.customer_number,
        compared.product_number,
        sum(customer_neighbours.similarity_millionths) as similarity_millionths
    from customer_neighbours
    inner join compared
        on
            customer_neighbours.windows_back = compared.windows_back
            and customer_neighbours.neighbour_customer_number = compared.customer_number
    group by customer_neighbours.windows_back, customer_neighbours.customer_number, compared.product_number

),

{% for kind in ['item', 'customer'] -%}

    {{ kind }}_packed as (

        select
            {{ kind }}_scores.windows_back,
            {{ kind }}_scores.customer_number,
            splits.candidate_count,
            cast({{ kind }}_scores.similarity_millionths as {{ bigint }}) * products.season_thousandths * {{ room_for_product }}
            + {{ room_for_product }} - 1 - {{ kind }}_scores.product_number as packed
        from {{ kind }}_scores
        inner join splits on {{ kind }}_scores.windows_back = splits.windows_back
        inner join products
            on {{ kind }}_scores.windows_back = products.windows_back and {{ kind }}_scores.product_number = products.product_number
        left join customer_products
            on
                {{ kind }}_scores.windows_back = customer_products.windows_back
                and {{ kind }}_scores.customer_number = customer_products.customer_number
                and {{ kind }}_scores.product_number = customer_products.product_number
        where customer_products.product_number is null

    ),

    {{ kind }}_best as (

        {{ customer_value.largest_of_each(kind ~ '_packed', ['windows_back', 'customer_number'], 'packed', 'candidate_count', 'packed') }}

    ),

    {{ kind }}_offers as (

        select
            windows_back,
            customer_number,
            cast({{ room_for_product }} - 1 - packed % {{ room_for_product }} as {{ dbt.type_int() }}) as product_number,
            (packed - packed % {{ room_for_product }}) / {{ room_for_product }} as score
        from {{ kind }}_best

    ),

{% endfor -%}

offers as (

    select * from popular_offers

    union all

    select
        windows_back,
        customer_number,
        product_number,
        score as item_score,
        0 as customer_score
    from item_offers

    union all

    select
        windows_back,
        customer_number,
        product_number,
        0 as item_score,
        score as customer_score
    from customer_offers

),

gathered as (

    select
        offers.windows_back,
        offers.customer_number,
        offers.product_number,
        max(offers.item_score) as item_score,
        max(offers.customer_score) as customer_score
    from offers
    left join customer_products
        on
            offers.windows_back = customer_products.windows_back
            and offers.customer_number = customer_products.customer_number
            and offers.product_number = customer_products.product_number
    where customer_products.product_number is null
    group by offers.windows_back, offers.customer_number, offers.product_number

)

select
    gathered.windows_back,
    gathered.customer_number,
    gathered.product_number,
    popular.recent_customer_count,
    popular.popularity_rank,
    -- Each beside the best of the customer's, so that they can be added.
    {% for name, column in [
        ('popularity', 'popular.recent_customer_count'), ('item', 'gathered.item_score'), ('customer', 'gathered.customer_score'),
    ] -%}
        coalesce(
            cast({{ column }} as {{ double }})
            / nullif(max({{ column }}) over (partition by gathered.windows_back, gathered.customer_number), 0), 0
        ) as {{ name }}_score
        {{- ',' if not loop.last }}
    {% endfor %}
from gathered
inner join popular on gathered.windows_back = popular.windows_back and gathered.product_number = popular.product_number
