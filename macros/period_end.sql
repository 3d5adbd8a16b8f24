{#- The day on which a period ends, exclusive: whole months or days after a date. Counted from
    that date at once, since month by month the 31st would drift to the 28th. -#}
{% macro period_end(start_date, period_count) -%}
    {%- if var('period') == 'month' -%}
        cast({{ customer_value.dateadd('month', period_count, start_date) }} as date)
    {%- else -%}
        cast({{ customer_value.dateadd('day', '(' ~ period_count ~ ') * ' ~ var('period'), start_date) }} as date)
    {%- endif -%}
{%- endmacro %}

{% macro periods_per_year() -%}
    {#- A period that is neither is told of by validate_vars; here it must only not divide by 0. -#}
    {{ 12 if var('period') == 'month' else 365 / ((var('period') | int) or 365) }}
{%- endmacro %}
