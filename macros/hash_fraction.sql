{#- A number in [0, 1) that depends on a text alone: on every engine and for ever the same, so
    that a sample drawn by it can be drawn again. The first eight hexadecimal digits of md5. -#}
{% macro hash_fraction(expression) -%}
    {{ return(adapter.dispatch('hash_fraction', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro spark__hash_fraction(expression) -%}
    cast(conv(substring(md5({{ expression }}), 1, 8), 16, 10) as double) / 4294967296
{%- endmacro %}

{% macro default__hash_fraction(expression) -%}
    cast(cast('0x' || substring(md5({{ expression }}), 1, 8) as bigint) as double) / 4294967296
{%- endmacro %}
