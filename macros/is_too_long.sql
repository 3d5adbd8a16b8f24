{#- Whether a key is too long to be one: beyond a thousand bytes, which no shop writes and no
    dashboard shows. Counted in bytes, since the engine knows how many there are without a look at them. -#}
{% macro is_too_long(expression) -%}
    {{ return(adapter.dispatch('is_too_long', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro default__is_too_long(expression) -%}
    octet_length({{ expression }}) > 1000
{%- endmacro %}

{% macro duckdb__is_too_long(expression) -%}
    strlen({{ expression }}) > 1000
{%- endmacro %}
