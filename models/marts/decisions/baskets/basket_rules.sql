{#- What is more than these is not read, nor acted on. -#}
{%- set most_rules_per_product = 50 -%}
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

directed as (

    {% for from_, to in [('first', 'second'), ('second', 'first')] -%}
        select
            {{ from_ }}_product_number as antecedent_product_number,
            {{ to }}_product_number as consequent_product_number,
            {{ from_ }}_order_count as antecedent_order_count,
            {{ to }}_order_count as consequent_order_count,
            together_order_count,
            order_count
        from pairs
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Of the logarithm of lift, by the delta method over the four cells of one table (Agresti,
-- Categorical Data Analysis, 3rd edition, 16.1).
measured as (

    select
        *,
        cast(together_order_count as {{ double }}) * order_count / (cast(antecedent_order_count as {{ double }}) * consequent_order_count) as lift,
        sqrt(
            greatest(
                1.0 / together_order_count - 1.0 / antecedent_order_count - 1.0 / consequent_order_count
                + (2 * cast(together_order_count as {{ double }}) * order_count / (cast(antecedent_order_count as {{ double }}) * consequent_order_count) - 1)
                / order_count,
                0
            )
        ) as log_lift_deviation
    from directed

),

ranked as (

    select
        *,
        row_number() over (
            partition by antecedent_product_number
            order by lift * exp(-1.959964 * log_lift_deviation) desc, consequent_product_number asc
        ) as rule_rank
    from measured

)

select
    antecedents.product_id as antecedent_product_id,
    antecedents.category as antecedent_category,
    consequents.product_id as consequent_product_id,
    consequents.category as consequent_category,
    cast(ranked.rule_rank as {{ dbt.type_int() }}) as rule_rank,
    cast(ranked.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(ranked.antecedent_order_count as {{ dbt.type_bigint() }}) as antecedent_order_count,
    cast(ranked.consequent_order_count as {{ dbt.type_bigint() }}) as consequent_order_count,
    cast(ranked.together_order_count as {{ dbt.type_bigint() }}) as together_order_count,
    round(cast(ranked.together_order_count as {{ double }}) / ranked.order_count, 9) as support,
    round(cast(ranked.together_order_count as {{ double }}) / ranked.antecedent_order_count, 9) as confidence,
    round(ranked.lift, 6) as lift,
    round(ranked.lift * exp(-1.959964 * ranked.log_lift_deviation), 6) as lift_lower,
    round(ranked.lift * exp(1.959964 * ranked.log_lift_deviation), 6) as lift_upper,
    run.as_of_date,
    run.run_id
from ranked
inner join products as antecedents on ranked.antecedent_product_number = antecedents.product_number
inner join products as consequents on ranked.consequent_product_number = consequents.product_number
cross join run
where ranked.rule_rank <= {{ most_rules_per_product }}
