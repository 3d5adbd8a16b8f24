with amounts as (

    select
        coalesce(upper(trim(currency)), '') as currency,
        gross_amount
    from {{ ref('int_customer_value__orders_gathered') }}
    where gross_amount > 0 and gross_amount < 1e13 and ordered_at < {{ customer_value.as_of_date_limit() }}

),

quantiles as (

    {{ customer_value.quantiles_by_count('amounts', 'gross_amount', {'lower_amount': 250, 'upper_amount': 750}, ['currency']) }}

),

quartiles as (

    select
        currency,
        cast(lower_amount as {{ customer_value.type_double() }}) as lower_quartile,
        cast(upper_amount as {{ customer_value.type_double() }}) as upper_quartile
    from quantiles

)

-- Tukey's fences, about the logarithm, since amounts are skewed in every shop. Where most amounts
-- are alike, the quartiles are taken to be a factor of two apart, or every other one would be far out.
select
    currency,
    lower_quartile / exp({{ var('outlier_fences') }} * greatest(ln(upper_quartile / lower_quartile), ln(2))) as lowest_amount,
    upper_quartile * exp({{ var('outlier_fences') }} * greatest(ln(upper_quartile / lower_quartile), ln(2))) as highest_amount
from quartiles
