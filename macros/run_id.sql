{#- What marks every row that one run wrote: the var run_id, or dbt's id of the invocation. A model of
    another project, that stands in for one of ours, calls it too, and does not see our vars. -#}
{% macro run_id() -%}
    cast('{{ (var("run_id", none) or invocation_id) | string | replace("'", "''") }}' as {{ dbt.type_string() }})
{%- endmacro %}
