{#- A rate as an exact decimal literal, so that money times a rate does not depend on the order
    in which floating point numbers are added. -#}
{% macro decimal_rate(rate) -%}
    cast('{{ "%.6f" | format(rate | float) }}' as decimal(9, 6))
{%- endmacro %}
