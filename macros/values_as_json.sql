{#- Some columns of a row as the text of one JSON object. -#}
{% macro values_as_json(columns) -%}
    cast(json_object({% for name in columns %}'{{ name }}', cast({{ name }} as varchar){{ ', ' if not loop.last }}{% endfor %}) as varchar)
{%- endmacro %}
