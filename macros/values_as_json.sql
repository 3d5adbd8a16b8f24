{#- Some columns of a row as the text of one JSON object. -#}
{% macro values_as_json(columns) -%}
    {{ return(adapter.dispatch('values_as_json', 'customer_value')(columns)) }}
{%- endmacro %}

{% macro spark__values_as_json(columns) -%}
    to_json(named_struct({% for name in columns %}'{{ name }}', cast({{ name }} as string){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}

{% macro default__values_as_json(columns) -%}
    cast(json_object({% for name in columns %}'{{ name }}', cast({{ name }} as varchar){{ ', ' if not loop.last }}{% endfor %}) as varchar)
{%- endmacro %}
