{#- The candidates that a run tries for a target, between commas, the default first; all of them
    with the selector evaluate, or where the var says so. -#}
{% macro candidate_names(target) -%}
    {%- set listed = var(target ~ '_candidates') -%}
    {%- if listed == 'all' or invocation_args_dict.get('selector') == 'evaluate' -%}
        {{ return('all') }}
    {%- endif -%}
    {{ return(listed | join(',')) }}
{%- endmacro %}
