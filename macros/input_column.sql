{#- The SQL expression that gives our column over an input's own columns: the one declared for
    it; else a required column under our own name, and an optional one empty. -#}
{% macro input_column(input_name, column_name) -%}
    {%- set declared = customer_value.declared_input(input_name) or {} -%}
    {%- set columns = declared.get('columns') or {} -%}
    {%- if column_name in columns -%}
        {{ columns[column_name] }}
    {%- elif declared and column_name in customer_value.input_contract()[input_name]['required'] -%}
        {{ column_name }}
    {%- else -%}
        cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}

{#- All columns of an input under our names, each with the prefix input_: a query whose columns
    no expression of the map can be confused with. -#}
{% macro input_query(input_name) -%}
    select
        {% for column_name in customer_value.input_column_names(input_name) -%}
            {{ customer_value.input_column(input_name, column_name) }} as input_{{ column_name }} {{- ',' if not loop.last }}
        {% endfor %}
    from source
{%- endmacro %}
