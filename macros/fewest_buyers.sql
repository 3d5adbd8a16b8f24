{#- How many customers have to have bought a product before it is recommended: of fewer, chance tells
    what goes with it. -#}
{% macro fewest_buyers() -%} 20 {%- endmacro %}
