with customer_curves as (

    select * from {{ ref('int_customer_value__customer_curves') }}

),

churn_scoring as (

    select * from {{ ref('churn_scoring') }}

),

churn_reasons as (

    select * from {{ ref('churn_reasons') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

scored as (

    select
        customer_curves.customer_id,
        customer_curves.as_of_date,
        round(1 - {{ customer_value.order_probability(var('churn_window_days')) }}, 9) as churn_probability
    from customer_curves

)

select
    scored.customer_id,
    scored.churn_probability,
    case
        when scored.churn_probability < 0.33 then 'low'
        when scored.churn_probability < 0.66 then 'medium'
        else 'high'
    end as churn_risk_band,
    scored.churn_probability >= 0.5 as is_churned_prediction,
    cast({{ var('churn_window_days') }} as {{ dbt.type_int() }}) as churn_window_days,
    {% for number in [1, 2, 3] -%}
        reason_{{ number }}.reason_text as top_reason_{{ number }},
    {% endfor -%}
    scored.as_of_date,
    churn_scoring.model_version,
    run.run_id
from scored
inner join churn_scoring on scored.customer_id = churn_scoring.customer_id
{% for number in [1, 2, 3] -%}
    left join churn_reasons as reason_{{ number }} on churn_scoring.reason_{{ number }} = reason_{{ number }}.churn_reason
{% endfor -%}
cross join run
