with terms as (

    select
        customer_id,
        sum(discounted_value) as discounted_value
    from {{ ref('customer_value_by_period') }}
    group by customer_id

)

select
    customer_cltv.customer_id,
    customer_cltv.predicted_value,
    terms.discounted_value
from {{ ref('customer_cltv') }} as customer_cltv
left join terms on customer_cltv.customer_id = terms.customer_id
where
    terms.discounted_value is null
    or customer_cltv.predicted_value <> terms.discounted_value
    or customer_cltv.total_value <> customer_cltv.historic_value + customer_cltv.predicted_value
    or customer_cltv.predicted_value not between customer_cltv.predicted_value_lower and customer_cltv.predicted_value_upper
