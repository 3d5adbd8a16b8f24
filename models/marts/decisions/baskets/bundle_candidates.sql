{%- set double = customer_value.type_double() -%}

with pairs as (

    select * from {{ ref('int_customer_value__basket_pairs') }}

),

products as (

    select * from {{ ref('int_customer_value__products_sold') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Observed over expected, with the interval of a Poisson count on the logarithmic scale (Breslow and
-- Day, Statistical Methods in Cancer Research II, 1987). It is to hold for all pairs that were looked
-- at, at once: beyond z lies less than exp(-z * z / 2) / 2 of a normal, so that 5% over so many
-- pairs, both sides, takes a z of no more than this (Bonferroni).
measured as (

    select
        *,
        cast(together_order_count as {{ double }}) / expected_order_count as size_adjusted_lift,
        sqrt(2 * ln(20 * cast(pair_count as {{ double }})) / together_order_count) as log_lift_margin
    from pairs

),

-- What stands in for each other is no bundle: a shopper chooses among products of one category.
candidates as (

    select
        first_products.product_id as first_product_id,
        first_products.category as first_category,
        second_products.product_id as second_product_id,
        second_products.category as second_category,
        measured.*,
        measured.size_adjusted_lift * exp(-measured.log_lift_margin) as size_adjusted_lift_lower,
        measured.size_adjusted_lift * exp(measured.log_lift_margin) as size_adjusted_lift_upper,
        measured.first_order_count + measured.second_order_count - 2 * measured.together_order_count as one_sided_order_count,
        (measured.first_order_count - measured.together_order_count)
        * cast(second_products.net_amount / second_products.order_count as {{ customer_value.type_amount() }})
        + (measured.second_order_count - measured.together_order_count)
        * cast(first_products.net_amount / first_products.order_count as {{ customer_value.type_amount() }}) as amount_at_stake
    from measured
    inner join products as first_products on measured.first_product_number = first_products.product_number
    inner join products as second_products on measured.second_product_number = second_products.product_number
    where
        measured.size_adjusted_lift * exp(-measured.log_lift_margin) > 1
        and (first_products.category is null or second_products.category is null or first_products.category <> second_products.category)

)

select
    candidates.first_product_id,
    candidates.first_category,
    candidates.second_product_id,
    candidates.second_category,
    cast(
        row_number() over (
            order by candidates.amount_at_stake desc, candidates.first_product_id asc, candidates.second_product_id asc
        ) as {{ dbt.type_int() }}
    ) as bundle_rank,
    cast(candidates.together_order_count as {{ dbt.type_bigint() }}) as together_order_count,
    round(candidates.expected_order_count, 6) as expected_order_count,
    round(candidates.size_adjusted_lift, 6) as size_adjusted_lift,
    round(candidates.size_adjusted_lift_lower, 6) as size_adjusted_lift_lower,
    round(candidates.size_adjusted_lift_upper, 6) as size_adjusted_lift_upper,
    cast(candidates.one_sided_order_count as {{ dbt.type_bigint() }}) as one_sided_order_count,
    cast(candidates.amount_at_stake as {{ customer_value.type_amount() }}) as amount_at_stake,
    run.as_of_date,
    run.run_id
from candidates
cross join run
