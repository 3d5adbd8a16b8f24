{#- What one unit of money at the end of a period is worth on the as_of_date. The annual rate is
    converted to the period by compounding: a period of p years costs (1 + r) ^ p - 1. -#}
{% macro discount_factor(annual_rate, period_number, periods_per_year) -%}
    power(1 + {{ annual_rate }}, -{{ period_number }} / cast({{ periods_per_year }} as {{ customer_value.type_double() }}))
{%- endmacro %}
