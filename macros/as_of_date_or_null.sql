{#- The var as_of_date as a date literal, null where the orders themselves are to tell it. -#}
{% macro as_of_date_or_null() -%}
    {%- if var('as_of_date') -%} date '{{ var("as_of_date") }}' {%- else -%} cast(null as date) {%- endif -%}
{%- endmacro %}
