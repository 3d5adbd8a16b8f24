{%- set double = customer_value.type_double() -%}

with repeat_buyers as (

    select
        customer_id,
        order_count,
        average_order_value
    from {{ ref('customer_value', 'customers') }}
    where order_count > 1

),

-- Twice the mean rank of a tie, less its mean over all: whole numbers that add up to 0.
ranked as (

    select
        {% for name in ['order_count', 'average_order_value'] -%}
            cast(
                2 * rank() over (order by {{ name }}) + count(*) over (partition by {{ name }}) - count(*) over () - 2
                as decimal(19, 0)
            ) as {{ name }}_rank {{- ',' if not loop.last }}
        {% endfor %}
    from repeat_buyers

),

summed as (

    select
        count(*) as repeat_customer_count,
        cast(sum(order_count_rank * average_order_value_rank) as {{ double }}) as product,
        cast(sum(order_count_rank * order_count_rank) as {{ double }}) as order_count_square,
        cast(sum(average_order_value_rank * average_order_value_rank) as {{ double }}) as average_order_value_square
    from ranked

),

-- Spearman's: Pearson's of the ranks. Unknown where all order as often, or spend as much per order.
correlated as (

    select
        repeat_customer_count,
        product / sqrt(nullif(order_count_square * average_order_value_square, 0)) as correlation
    from summed

),

-- On Fisher's scale, with the standard error of Bonett and Wright (2000) for ranks.
scaled as (

    select
        *,
        case when abs(correlation) < 1 then ln((1 + correlation) / (1 - correlation)) / 2 end as fisher_z,
        case
            when repeat_customer_count > 3
                then 1.959964 * sqrt((1 + correlation * correlation / 2) / (repeat_customer_count - 3))
        end as fisher_margin
    from correlated

)

select
    repeat_customer_count,
    correlation,
    (exp(2 * (fisher_z - fisher_margin)) - 1) / (exp(2 * (fisher_z - fisher_margin)) + 1) as correlation_lower,
    (exp(2 * (fisher_z + fisher_margin)) - 1) / (exp(2 * (fisher_z + fisher_margin)) + 1) as correlation_upper
from scaled
