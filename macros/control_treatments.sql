{#- The var control_treatments as a list of SQL texts in lower case: which treatments of a campaign
    name those who were left alone on purpose. -#}
{% macro control_treatments() -%}
    {%- set names = [] -%}
    {%- for name in var('control_treatments') -%}
        {%- do names.append("'" ~ (name | string | trim | lower | replace("'", "''")) ~ "'") -%}
    {%- endfor -%}
    {{ return(names | join(', ')) }}
{%- endmacro %}

{#- What is wrong with the var control_treatments. -#}
{% macro _control_treatments_problems() -%}
    {%- set given = var('control_treatments') -%}
    {%- if given is string or given is mapping or given is not iterable or not given or given | reject('string') | list -%}
        {{ return(["control_treatments is " ~ (given | tojson) ~ "; it takes a list of treatments that name a control group, such as [control, holdout]."]) }}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}
