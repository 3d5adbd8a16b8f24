{% macro pseudonym(expression) -%} sha256({{ expression }}) {%- endmacro %}
