{#- Why an amount that is not null could not be read as money. -#}
{% macro amount_reject_reason(raw_amount) -%}
    case
        when try_cast({{ raw_amount }} as {{ customer_value.type_double() }}) is null then 'unparseable_amount'
        when abs(try_cast({{ raw_amount }} as {{ customer_value.type_double() }})) < 1e300 then 'amount_out_of_range'
        else 'infinite_amount'
    end
{%- endmacro %}
