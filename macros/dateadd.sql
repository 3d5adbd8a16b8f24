{#- A time or date moved by a number of units: minute, day, week, month, quarter or year. As DuckDB
    says it, which is translated for other warehouses; dbt's own macro of the name would be
    written in the other warehouse's words already. -#}
{% macro dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set multiple, unit = {'quarter': (' * 3', 'month'), 'week': (' * 7', 'day')}.get(datepart, ('', datepart)) -%}
    {%- set count -%} cast({{ interval }} as bigint) {%- endset -%}
    ({{ from_date_or_timestamp }} + {{ '(' ~ count ~ multiple ~ ')' if multiple else count }} * interval '1 {{ unit }}')
{%- endmacro %}
