-- How often each amount was ordered. Quartiles come from that, not from a sort of all orders.
with amounts as (

    select
        coalesce(upper(trim(currency)), '') as currency,
        gross_amount,
        count(*) as order_count
    from {{ ref('int_customer_value__orders_gathered') }}
    where gross_amount > 0 and gross_amount < 1e13 and ordered_at < {{ customer_value.as_of_date_limit() }}
    group by coalesce(upper(trim(currency)), ''), gross_amount

),

cumulated as (

    select
        currency,
        gross_amount,
        sum(order_count) over (
            partition by currency order by gross_amount rows between unbounded preceding and current row
        ) as orders_up_to_here,
        sum(order_count) over (partition by currency) as orders_in_all
    from amounts

),

quartiles as (

    select
        currency,
        cast(min(case when 4 * orders_up_to_here >= orders_in_all then gross_amount end) as {{ customer_value.type_double() }}) as lower_quartile,
        cast(min(case when 4 * orders_up_to_here >= 3 * orders_in_all then gross_amount end) as {{ customer_value.type_double() }}) as upper_quartile
    from cumulated
    group by currency

)

-- Tukey's fences, about the logarithm, since amounts are skewed in every shop. Where most amounts
-- are alike, the quartiles are taken to be a factor of two apart, or every other one would be far out.
select
    currency,
    lower_quartile / exp({{ var('outlier_fences') }} * greatest(ln(upper_quartile / lower_quartile), ln(2))) as lowest_amount,
    upper_quartile * exp({{ var('outlier_fences') }} * greatest(ln(upper_quartile / lower_quartile), ln(2))) as highest_amount
from quartiles
