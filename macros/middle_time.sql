{#- An aggregate: of a few times the one in the middle, of two the earlier. -#}
{% macro middle_time(expression) -%}
    {{ return(adapter.dispatch('middle_time', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro default__middle_time(expression) -%}
    percentile_disc(0.5) within group (order by {{ expression }})
{%- endmacro %}

{#- Spark has quantiles of numbers alone: of microseconds. -#}
{% macro spark__middle_time(expression) -%}
    cast(timestamp_micros(cast(
        percentile_disc(0.5) within group (order by unix_micros(cast({{ expression }} as timestamptz))) as bigint
    )) as timestamp)
{%- endmacro %}
