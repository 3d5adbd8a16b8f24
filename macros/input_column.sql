{#- The SQL expression that gives our column over an input's own columns: the one declared for
    it; else a required column under our own name, and an optional one empty. -#}
{% macro input_column(input_name, column_name) -%}
    {%- set columns = customer_value.declared_input(input_name).get('columns') or {} -%}
    {%- if column_name in columns -%}
        {{ columns[column_name] }}
    {%- elif column_name in customer_value.input_contract()[input_name]['required'] -%}
        {{ column_name }}
    {%- else -%}
        cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}
