{#- SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits. Whoever has all texts can hash them too:
    what nobody may tell the text from is pseudonym(). -#}
{% macro sha256_hex(expression) -%}
    sha256({{ expression }})
{%- endmacro %}
