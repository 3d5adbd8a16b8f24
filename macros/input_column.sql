{#- The SQL expression that gives our column over an input's own columns. -#}
{% macro input_column(input_name, column_name, required=false) -%}
    {%- set columns = var('inputs')[input_name].get('columns') or {} -%}
    {%- if column_name in columns -%}
        {{ columns[column_name] }}
    {%- elif required -%}
        {{ column_name }}
    {%- else -%}
        cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}
