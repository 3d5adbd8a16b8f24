{#- All rows of an input, its columns under our names with the prefix input_, so that no expression
    of a column map can be confused with one of ours. Of several declarations (shops that are
    fused) the values are all made text, since each shop may have other types.

    And input_time_zone: where a time without a zone was written. -#}
{% macro input_rows(input_name) -%}
    {%- set declarations = customer_value.declared_inputs(input_name) -%}
    {%- for declared in declarations or [{}] %}
    select
        {% for column_name in customer_value.input_column_names(input_name) -%}
            {%- set expression = customer_value.input_column(input_name, declared, column_name) -%}
            {% if declarations | length > 1 -%}
                cast({{ expression }} as {{ dbt.type_string() }}) as input_{{ column_name }},
            {%- else -%}
                {{ expression }} as input_{{ column_name }},
            {%- endif %}
        {% endfor -%}
        '{{ declared.get("time_zone") or var("input_time_zone") }}' as input_time_zone
    from {{ customer_value.input_relation(input_name, declared) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The SQL expression that gives our column over an input's own columns: the one declared for
    it; else a required column under our own name, and an optional one empty. -#}
{% macro input_column(input_name, declared, column_name) -%}
    {%- set columns = declared.get('columns') or {} -%}
    {%- if column_name in columns -%}
        {{ columns[column_name] }}
    {%- elif declared and column_name in customer_value.input_contract()[input_name]['required'] -%}
        {{ column_name }}
    {%- else -%}
        cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}

{#- Whether any declaration of an input maps a column. -#}
{% macro input_has(input_name, column_name) -%}
    {%- set found = [] -%}
    {%- for declared in customer_value.declared_inputs(input_name) if column_name in (declared.get('columns') or {}) -%}
        {%- do found.append(declared) -%}
    {%- endfor -%}
    {{ return(found | length > 0) }}
{%- endmacro %}

{#- The zone of an input's times that have none, as SQL: one literal wherever there is only one. -#}
{% macro input_time_zone(input_name) -%}
    {%- set zones = [] -%}
    {%- for declared in customer_value.declared_inputs(input_name) -%}
        {%- do zones.append(declared.get('time_zone') or var('input_time_zone')) -%}
    {%- endfor -%}
    {%- set zones = zones | unique | list -%}
    {{ return("input_time_zone" if zones | length > 1 else "'" ~ (zones | first | default(var('input_time_zone'))) ~ "'") }}
{%- endmacro %}
