{#- The moment, UTC, from which orders are in the future: the start of the var as_of_date where the
    shop reports, or a time beyond every plausible one where the var is null and the orders
    themselves tell the date. -#}
{% macro as_of_date_limit() -%}
    {{ customer_value.to_utc_timestamp(
        "timestamp '" ~ (var('as_of_date') or '2200-01-01') ~ "'", "'" ~ var('reporting_time_zone') ~ "'"
    ) if var('reporting_time_zone') != 'UTC' else "timestamp '" ~ (var('as_of_date') or '2200-01-01') ~ "'" }}
{%- endmacro %}
