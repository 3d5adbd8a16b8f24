{#- Whether a run searches the settings of candidates: with the selector evaluate, or where the var
    tune_candidates says so. -#}
{% macro is_tuned() -%}
    {{ return(var('tune_candidates') or invocation_args_dict.get('selector') == 'evaluate') }}
{%- endmacro %}
