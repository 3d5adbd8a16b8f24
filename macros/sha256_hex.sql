{#- SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits. Whoever has all texts can hash them too:
    what nobody may tell the text from is pseudonym(). -#}
{% macro sha256_hex(expression) -%}
    {{ return(adapter.dispatch('sha256_hex', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro default__sha256_hex(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}

{% macro duckdb__sha256_hex(expression) -%}
    sha256({{ expression }})
{%- endmacro %}
