{#- The candidates that a run tries, between commas, the default first: those that a var lists, or all
    of them where it says so and with the selector evaluate. -#}
{% macro candidate_names(listed) -%}
    {%- if listed == 'all' or invocation_args_dict.get('selector') == 'evaluate' -%}
        {{ return('all') }}
    {%- endif -%}
    {{ return(listed | join(',')) }}
{%- endmacro %}
