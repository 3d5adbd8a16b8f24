-- In place of customer_value's, which dbt_project.yml disables: its columns, but scores by fixed
-- limits, so that a customer's score does not change with other customers.
with customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

scored as (

    select
        *,
        case
            when recency_days < 30 then 5
            when recency_days < 90 then 4
            when recency_days < 180 then 3
            when recency_days < 365 then 2
            else 1
        end as recency_score,
        least(order_count, 5) as frequency_score,
        cast(least(greatest(net_amount / 50, 1), 5) as integer) as monetary_score
    from customers

)

select
    scored.customer_id,
    scored.recency_days,
    scored.order_count,
    scored.net_amount,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    rfm_segments.rfm_segment,
    scored.as_of_date,
    {{ customer_value.run_id() }} as run_id
from scored
left join rfm_segments
    on
        scored.recency_score = rfm_segments.recency_score
        and floor((scored.frequency_score + scored.monetary_score + 1) / 2) = rfm_segments.frequency_monetary_score
