{#- What marks every row that one run wrote: the var run_id, or dbt's id of the invocation. -#}
{% macro run_id() -%}
    cast('{{ (var("run_id") or invocation_id) | string | replace("'", "''") }}' as {{ dbt.type_string() }})
{%- endmacro %}
