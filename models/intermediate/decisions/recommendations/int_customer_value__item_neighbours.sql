{#- Pairs of products that are counted one by one in each windows_back, whatever the size of the shop. -#}
{%- set most_pairs = 50000000 -%}
{#- Customers without anything in common that stand beside those of a pair: a few in common are chance. -#}
{%- set lent_customers = 20 -%}
{%- set double = customer_value.type_double() -%}

with compared as (

    select
        windows_back,
        customer_id,
        customer_number,
        product_number
    from {{ ref('int_customer_value__customer_products') }}
    where is_compared

),

splits as (

    select * from {{ ref('int_customer_value__recommendation_splits') }}

),

customers as (

    select
        windows_back,
        customer_id,
        count(*) * (count(*) - 1) / 2 as pair_count
    from compared
    group by windows_back, customer_id

),

sampling as (

    select
        windows_back,
        {{ most_pairs }} / nullif(cast(sum(pair_count) as {{ double }}), 0) as sampled_share
    from customers
    group by windows_back

),

sampled as (

    select compared.*
    from compared
    inner join sampling on compared.windows_back = sampling.windows_back
    where
        coalesce(sampling.sampled_share, 1) >= 1
        or {{ customer_value.hash_fraction("'similarity:' || compared.customer_id") }} < sampling.sampled_share

),

products as (

    select
        windows_back,
        product_number,
        count(*) as customer_count
    from sampled
    group by windows_back, product_number

),

pairs as (

    select
        first_products.windows_back,
        first_products.product_number as first_product_number,
        second_products.product_number as second_product_number,
        count(*) as common_customer_count
    from sampled as first_products
    inner join sampled as second_products
        on
            first_products.windows_back = second_products.windows_back
            and first_products.customer_number = second_products.customer_number
            and first_products.product_number < second_products.product_number
    group by first_products.windows_back, first_products.product_number, second_products.product_number
    having count(*) > 2

),

measured as (

    select
        pairs.windows_back,
        pairs.first_product_number,
        pairs.second_product_number,
        pairs.common_customer_count,
        -- Millionths, since whole numbers add up to the same in any order.
        cast(
            round(
                1000000 * pairs.common_customer_count / sqrt(cast(first_products.customer_count as {{ double }}) * second_products.customer_count)
                * pairs.common_customer_count / (pairs.common_customer_count + {{ lent_customers }})
            ) as {{ dbt.type_bigint() }}
        ) as similarity_millionths
    from pairs
    inner join products as first_products
        on pairs.windows_back = first_products.windows_back and pairs.first_product_number = first_products.product_number
    inner join products as second_products
        on pairs.windows_back = second_products.windows_back and pairs.second_product_number = second_products.product_number

),

directed as (

    {% for from_, to in [('first', 'second'), ('second', 'first')] -%}
        select
            windows_back,
            {{ from_ }}_product_number as product_number,
            {{ to }}_product_number as neighbour_product_number,
            common_customer_count,
            similarity_millionths
        from measured
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by windows_back, product_number
            order by similarity_millionths desc, neighbour_product_number asc
        ) as similarity_rank
    from directed

)

select
    ranked.windows_back,
    ranked.product_number,
    ranked.neighbour_product_number,
    ranked.common_customer_count,
    ranked.similarity_millionths,
    ranked.similarity_rank
from ranked
inner join splits on ranked.windows_back = splits.windows_back
where ranked.similarity_rank <= splits.neighbour_count
