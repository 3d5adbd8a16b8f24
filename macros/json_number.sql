{#- A number out of the text of a JSON object; path: its keys, from the outermost on. Null where it
    is not there. -#}
{% macro json_number(expression, path) -%}
    {{ return(adapter.dispatch('json_number', 'customer_value')(expression, path)) }}
{%- endmacro %}

{% macro default__json_number(expression, path) -%}
    try_cast(get_json_object({{ expression }}, '$.{{ path | join(".") }}') as {{ customer_value.type_double() }})
{%- endmacro %}

{% macro duckdb__json_number(expression, path) -%}
    try_cast(json_extract_string({{ expression }}, '$.{{ path | join(".") }}') as {{ customer_value.type_double() }})
{%- endmacro %}
