{#- How many borders of a unit (second, minute, day, month) lie between two times. As dateadd, in DuckDB's words. -#}
{% macro datediff(first_date, second_date, datepart) -%}
    (date_diff('{{ datepart }}', {{ first_date }}::timestamp, {{ second_date }}::timestamp))
{%- endmacro %}
