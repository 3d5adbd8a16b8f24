{#- The moment from which orders are in the future: the start of the var as_of_date, or a time
    beyond every plausible one where the var is null and the orders themselves tell the date. -#}
{% macro as_of_date_limit() -%}
    timestamp '{{ var("as_of_date") or "2200-01-01" }}'
{%- endmacro %}
