with customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

-- How many customers are strictly worse: all ties share it, and it exists for any distribution.
ranked as (

    select
        customer_id,
        recency_days,
        order_count,
        net_amount,
        as_of_date,
        count(*) over () as customer_count,
        rank() over (order by recency_days desc) - 1 as staler_customer_count,
        rank() over (order by order_count) - 1 as rarer_customer_count,
        rank() over (order by net_amount) - 1 as cheaper_customer_count
    from customers

),

scored as (

    select
        *,
        {% for measure, worse in [
            ('recency', 'staler'), ('frequency', 'rarer'), ('monetary', 'cheaper')
        ] -%}
            cast(1 + floor(5 * {{ worse }}_customer_count / customer_count) as {{ dbt.type_int() }}) as {{ measure }}_score
            {{- ',' if not loop.last }}
        {% endfor %}
    from ranked

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
        -- The mean of the two scores, halves rounded up.
        and floor((scored.frequency_score + scored.monetary_score + 1) / 2) = rfm_segments.frequency_monetary_score
