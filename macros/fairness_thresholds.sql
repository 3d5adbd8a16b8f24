{#- Beyond which figures a group is treated unequally: what the var fairness_thresholds gives, else
    ours. They stand here and not in the var, since who gives a var replaces all of it. -#}
{% macro fairness_thresholds() -%}
    {%- set thresholds = {} -%}
    {%- for name, threshold in customer_value._fairness_defaults().items() -%}
        {%- do thresholds.update({name: (var('fairness_thresholds') or {}).get(name, threshold)}) -%}
    {%- endfor -%}
    {{ return(thresholds) }}
{%- endmacro %}

{% macro _fairness_defaults() -%}
    {{ return({
        'selection_rate_ratio': 0.8,
        'error_rate_difference': 0.1,
        'calibration_difference': 0.1,
        'value_bias_ratio': 0.8,
    }) }}
{%- endmacro %}

{#- What is wrong with the var fairness_thresholds. All are shares. -#}
{% macro _fairness_thresholds_problems() -%}
    {%- set given = var('fairness_thresholds') -%}
    {%- set defaults = customer_value._fairness_defaults() -%}
    {%- if given is none -%}
        {{ return([]) }}
    {%- elif given is not mapping -%}
        {{ return(["fairness_thresholds is " ~ (given | tojson) ~ "; it takes, for example, {selection_rate_ratio: 0.9}."]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- for name, threshold in given.items() -%}
        {%- if name not in defaults -%}
            {%- do problems.append("fairness_thresholds names " ~ name ~ ", which is no threshold; there are " ~ defaults | join(', ') ~ ".") -%}
        {%- elif threshold is not number or threshold is boolean or not 0 <= threshold <= 1 -%}
            {%- do problems.append("fairness_thresholds gives " ~ name ~ " " ~ (threshold | tojson) ~ "; it takes a number from 0 to 1.") -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}
