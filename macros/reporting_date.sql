{#- The day on which a UTC time falls where the shop reports: days and months begin at midnight
    there, also on the days when clocks change. -#}
{% macro reporting_date(timestamp) -%}
    {{ return(adapter.dispatch('reporting_date', 'customer_value')(timestamp)) }}
{%- endmacro %}

{% macro spark__reporting_date(timestamp) -%}
    {%- if var('reporting_time_zone') == 'UTC' -%}
        cast({{ timestamp }} as date)
    {%- else -%}
        cast(from_utc_timestamp({{ timestamp }}, '{{ var("reporting_time_zone") }}') as date)
    {%- endif -%}
{%- endmacro %}

{% macro default__reporting_date(timestamp) -%}
    {%- if var('reporting_time_zone') == 'UTC' -%}
        cast({{ timestamp }} as date)
    {%- else -%}
        cast(timezone('{{ var("reporting_time_zone") }}', timezone('UTC', {{ timestamp }})) as date)
    {%- endif -%}
{%- endmacro %}
