{#- In how many orders two products have to be together before a rule is made of them: of fewer, an
    interval on the logarithmic scale is none. -#}
{% macro fewest_orders_together() -%} 20 {%- endmacro %}
