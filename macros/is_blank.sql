{#- Whether a text holds nothing but spaces. -#}
{% macro is_blank(expression) -%}
    {{ return(adapter.dispatch('is_blank', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro default__is_blank(expression) -%}
    trim({{ expression }}) = ''
{%- endmacro %}

{#- No text that begins with a visible character sorts before '!', byte by byte: a comparison
    that spares trimming every key. -#}
{% macro duckdb__is_blank(expression) -%}
    ({{ expression }} < '!' and trim({{ expression }}) = '')
{%- endmacro %}
