{#- Customers, drawn by a hash, among whom everybody's neighbours are looked for: enough to find some who
    are alike, and as few as leave no more products in common to be counted. Work would else grow
    with the square of the customers. -#}
{%- set most_panel_customers, most_common_products = 3000, 200000000 -%}
{%- set double = customer_value.type_double() -%}

with compared as (

    select
        windows_back,
        customer_id,
        customer_number,
        product_number,
        is_judged
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
        customer_number,
        count(*) as product_count
    from compared
    group by windows_back, customer_id, customer_number

),

everybody as (

    select cast(count(*) as {{ double }}) as customer_count
    from customers
    where windows_back = 0

),

buyers as (

    select
        product_number,
        cast(count(*) as {{ double }}) as customer_count
    from compared
    where windows_back = 0
    group by product_number

),

-- As many of past dates as of today, so that these tell how good it is.
limits as (

    select
        least(
            {{ most_panel_customers }},
            {{ most_common_products }} * max(everybody.customer_count) / sum(buyers.customer_count * buyers.customer_count)
        ) as panel_customers
    from buyers
    cross join everybody

),

counted as (

    select
        customers.*,
        {{ customer_value.hash_fraction("'panel:' || customers.customer_id") }} * count(*) over (partition by customers.windows_back)
        < limits.panel_customers as is_in_panel
    from customers
    cross join limits

),

panel as (

    select compared.*
    from compared
    inner join counted on compared.windows_back = counted.windows_back and compared.customer_number = counted.customer_number
    where counted.is_in_panel

),

shared as (

    select
        compared.windows_back,
        compared.customer_number,
        panel.customer_number as neighbour_customer_number,
        count(*) as common_product_count
    from compared
    inner join panel
        on
            compared.windows_back = panel.windows_back
            and compared.product_number = panel.product_number
            and compared.customer_number <> panel.customer_number
    where compared.is_judged
    group by compared.windows_back, compared.customer_number, panel.customer_number

),

ranked as (

    select
        shared.windows_back,
        shared.customer_number,
        shared.neighbour_customer_number,
        cast(
            round(
                1000000 * shared.common_product_count / sqrt(cast(customers.product_count as {{ double }}) * neighbours.product_count)
            ) as {{ dbt.type_bigint() }}
        ) as similarity_millionths,
        row_number() over (
            partition by shared.windows_back, shared.customer_number
            order by shared.common_product_count / sqrt(cast(neighbours.product_count as {{ double }})) desc, shared.neighbour_customer_number
        ) as similarity_rank
    from shared
    inner join customers on shared.windows_back = customers.windows_back and shared.customer_number = customers.customer_number
    inner join customers as neighbours on shared.windows_back = neighbours.windows_back and shared.neighbour_customer_number = neighbours.customer_number

)

select
    ranked.windows_back,
    ranked.customer_number,
    ranked.neighbour_customer_number,
    ranked.similarity_millionths
from ranked
inner join splits on ranked.windows_back = splits.windows_back
where ranked.similarity_rank <= splits.neighbour_count
