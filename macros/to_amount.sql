{#- Money, exact to the cent, or null where it can't be read, is infinite or has more digits than the type. -#}
{% macro to_amount(expression) -%}
    try_cast({{ expression }} as {{ customer_value.type_amount() }})
{%- endmacro %}

{% macro type_amount() -%} decimal(18, 2) {%- endmacro %}
