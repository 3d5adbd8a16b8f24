{#- A share of an amount, exact to the cent: the rate is a decimal, so that no sum of such shares
    depends on the order in which floating point numbers are added. -#}
{% macro at_rate(amount, rate) -%}
    {%- if (rate | float) == 1 -%}
        {{ amount }}
    {%- else -%}
        ({{ amount }}) * cast('{{ "%.6f" | format(rate | float) }}' as decimal(9, 6))
    {%- endif -%}
{%- endmacro %}
