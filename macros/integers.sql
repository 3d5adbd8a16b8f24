{#- The whole numbers from a first one to a last one, as rows of one column. -#}
{% macro integers(first, last_query, column_name) -%}
    select unnest(generate_series({{ first }}, ({{ last_query }}))) as {{ column_name }}
{%- endmacro %}
