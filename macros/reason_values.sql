{#- What the templates of the seed churn_reasons may name in braces, each as text: what a customer's
    features are, in units that people count in. -#}
{% macro reason_values() -%}
    {%- set values = {} -%}
    {%- for name in [
        'recency_days', 'tenure_days', 'order_count', 'purchase_day_count', 'orders_last_30_days_count',
        'orders_last_90_days_count', 'orders_last_180_days_count', 'orders_last_365_days_count',
    ] -%}
        {%- do values.update({name: 'cast(customer_features.' ~ name ~ ' as ' ~ dbt.type_string() ~ ')'}) -%}
    {%- endfor -%}
    {%- for name in ['average_days_between_purchases'] -%}
        {%- do values.update({
            name: 'cast(cast(round(customer_features.' ~ name ~ ') as ' ~ dbt.type_bigint() ~ ') as ' ~ dbt.type_string() ~ ')'
        }) -%}
    {%- endfor -%}
    {%- for name in ['net_amount', 'average_order_value', 'last_order_amount', 'largest_order_amount', 'net_last_90_days_amount'] -%}
        {%- do values.update({
            name: 'cast(cast(customer_features.' ~ name ~ ' as ' ~ customer_value.type_amount() ~ ') as ' ~ dbt.type_string() ~ ')'
        }) -%}
    {%- endfor -%}
    {{ return(values) }}
{%- endmacro %}

{#- The value that a column names, of those that stand beside it under their own names. -#}
{% macro reason_value(name_column, relation) -%}
    case {{ name_column }}
        {%- for name in customer_value.reason_values() %}
            when '{{ name }}' then {{ relation }}.{{ name }}
        {%- endfor %}
    end
{%- endmacro %}

{#- A template's n-th name in braces, from 1; empty where it has no more. -#}
{% macro reason_value_name(template, number) -%}
    split_part(split_part({{ template }}, '{', {{ number + 1 }}), '}', 1)
{%- endmacro %}
