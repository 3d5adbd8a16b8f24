{#- A number out of the text of a JSON object; path: its keys, from the outermost on. Null where it
    is not there. -#}
{% macro json_number(expression, path) -%}
    try_cast(json_extract_string({{ expression }}, '$.{{ path | join(".") }}') as {{ customer_value.type_double() }})
{%- endmacro %}
