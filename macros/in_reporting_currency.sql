{#- An amount of an order in the reporting currency, to the cent; as it is where none is set;
    null where it has more digits than money has. -#}
{% macro in_reporting_currency(amount) -%}
    {%- if var('reporting_currency') -%}
        try_cast({{ amount }} * exchange_rate as {{ customer_value.type_amount() }})
    {%- else -%}
        {{ amount }}
    {%- endif -%}
{%- endmacro %}
