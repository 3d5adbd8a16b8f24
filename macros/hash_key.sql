{#- A fast 64-bit hash of a text, to find equal texts within one query. It may change between
    versions of the engine: never store it. -#}
{% macro hash_key(expression) -%}
    {{ return(adapter.dispatch('hash_key', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro spark__hash_key(expression) -%}
    xxhash64({{ expression }})
{%- endmacro %}

{% macro default__hash_key(expression) -%}
    hash({{ expression }})
{%- endmacro %}
