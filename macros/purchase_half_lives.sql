{#- Days after which a purchase counts half of what it counted, where it is told what is bought again. -#}
{% macro purchase_half_lives() -%}
    {{ return([91, 28, 364]) }}
{%- endmacro %}
