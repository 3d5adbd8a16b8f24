{#- Beyond which figures monitoring warns and advises: what the var monitoring_thresholds gives, else
    ours. They stand here and not in the var, since who gives a var replaces all of it.

    Each with the least and the most that it can be meant to be. -#}
{% macro monitoring_thresholds() -%}
    {%- set thresholds = {} -%}
    {%- for name, (threshold, lowest, highest) in customer_value._monitoring_defaults().items() -%}
        {%- do thresholds.update({name: (var('monitoring_thresholds') or {}).get(name, threshold)}) -%}
    {%- endfor -%}
    {{ return(thresholds) }}
{%- endmacro %}

{% macro _monitoring_defaults() -%}
    {{ return({
        'feature_psi': (0.25, 0, 100),
        'feature_wasserstein': (0.1, 0, 100),
        'drifted_feature_rate': (0.25, 0, 1),
        'prediction_psi': (0.25, 0, 100),
        'ranking_loss': (0.05, 0, 2),
        'calibration_error_gain': (0.1, 0, 1),
        'value_bias': (0.25, 0, 100),
        'interval_coverage_loss': (0.1, 0, 1),
        'model_age_days': (180, 0, 36500),
    }) }}
{%- endmacro %}

{#- What is wrong with the var monitoring_thresholds. -#}
{% macro _monitoring_thresholds_problems() -%}
    {%- set given = var('monitoring_thresholds') -%}
    {%- set defaults = customer_value._monitoring_defaults() -%}
    {%- if given is none -%}
        {{ return([]) }}
    {%- elif given is not mapping -%}
        {{ return(["monitoring_thresholds is " ~ (given | tojson) ~ "; it takes, for example, {feature_psi: 0.2, model_age_days: 30}."]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- for name, threshold in given.items() -%}
        {%- if name not in defaults -%}
            {%- do problems.append("monitoring_thresholds names " ~ name ~ ", which is no threshold; there are " ~ defaults | join(', ') ~ ".") -%}
        {%- elif threshold is not number or threshold is boolean or not defaults[name][1] <= threshold <= defaults[name][2] -%}
            {%- do problems.append(
                "monitoring_thresholds gives " ~ name ~ " " ~ (threshold | tojson) ~ "; it takes a number from "
                ~ defaults[name][1] ~ " to " ~ defaults[name][2] ~ "."
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}
