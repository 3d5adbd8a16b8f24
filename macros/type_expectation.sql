{#- Expected money: exact, so that its terms add up, and fine enough that a small chance of a small
    order does not vanish in rounding. -#}
{% macro type_expectation() -%} decimal(38, 6) {%- endmacro %}
