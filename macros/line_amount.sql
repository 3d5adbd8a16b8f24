{#- Quantity times price, exact to the cent, or null where it has more digits than money has. The
    product of two decimals has no more room than either: beyond it, one of them is made wider,
    which costs a hundred times as much. -#}
{% macro line_amount(quantity, unit_price) -%}
    case
        when abs({{ quantity }}) < 100000 and abs({{ unit_price }}) < 100000
            then cast({{ quantity }} * {{ unit_price }} as {{ customer_value.type_amount() }})
        else try_cast({{ quantity }} * cast({{ unit_price }} as decimal(20, 4)) as {{ customer_value.type_amount() }})
    end
{%- endmacro %}
