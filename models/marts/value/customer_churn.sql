with customer_curves as (

    select * from {{ ref('int_customer_value__customer_curves') }}

),

churn_scoring as (

    select * from {{ ref('churn_scoring') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- A template names at most two values in braces.
churn_reasons as (

    select
        churn_reason,
        reason_text,
        coalesce(reason_text_if_one, reason_text) as reason_text_if_one,
        coalesce(reason_text_if_unknown, reason_text) as reason_text_if_unknown,
        {{ customer_value.reason_value_name('reason_text', 1) }} as first_value_name,
        {{ customer_value.reason_value_name('reason_text', 2) }} as second_value_name
    from {{ ref('churn_reasons') }}

),

-- What the customers' features are now, as text.
feature_values as (

    select
        customer_features.customer_id,
        {% for name, expression in customer_value.reason_values().items() -%}
            {{ expression }} as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('customer_features') }} as customer_features
    inner join run on customer_features.as_of_date = run.as_of_date

),

scored as (

    select
        customer_curves.customer_id,
        customer_curves.as_of_date,
        round(1 - {{ customer_value.order_probability(var('churn_window_days')) }}, 9) as churn_probability
    from customer_curves

),

-- The values that each reason speaks of. A reason without words of its own is told by its name.
explained as (

    select
        churn_scoring.*,
        {% for number in [1, 2, 3] -%}
            coalesce(
                case
                    when {{ customer_value.reason_value('reason_' ~ number ~ '.first_value_name', 'feature_values') }} is null
                        then reason_{{ number }}.reason_text_if_unknown
                    when {{ customer_value.reason_value('reason_' ~ number ~ '.first_value_name', 'feature_values') }} = '1'
                        then reason_{{ number }}.reason_text_if_one
                    else reason_{{ number }}.reason_text
                end,
                churn_scoring.reason_{{ number }}
            ) as template_{{ number }},
            {% for value in ['first_value', 'second_value'] -%}
                coalesce('{' || reason_{{ number }}.{{ value }}_name || '}', '{}') as {{ value }}_name_{{ number }},
                coalesce({{ customer_value.reason_value('reason_' ~ number ~ '.' ~ value ~ '_name', 'feature_values') }}, '?')
                    as {{ value }}_{{ number }} {{- ',' if not loop.last }}
            {% endfor %} {{- ',' if not loop.last }}
        {% endfor %}
    from churn_scoring
    left join feature_values on churn_scoring.customer_id = feature_values.customer_id
    {% for number in [1, 2, 3] -%}
        left join churn_reasons as reason_{{ number }} on churn_scoring.reason_{{ number }} = reason_{{ number }}.churn_reason
    {% endfor %}

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
        replace(
            replace(explained.template_{{ number }}, explained.first_value_name_{{ number }}, explained.first_value_{{ number }}),
            explained.second_value_name_{{ number }},
            explained.second_value_{{ number }}
        ) as top_reason_{{ number }},
        round(explained.reason_{{ number }}_contribution, 6) as top_reason_{{ number }}_contribution,
    {% endfor -%}
    scored.as_of_date,
    explained.model_version,
    run.run_id
from scored
inner join explained on scored.customer_id = explained.customer_id
cross join run
