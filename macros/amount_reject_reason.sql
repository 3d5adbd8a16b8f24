{#- Why an amount that is not empty could not be read as money. -#}
{% macro amount_reject_reason(raw_amount) -%}
    {%- set number -%} try_cast({{ raw_amount }} as {{ customer_value.type_double() }}) {%- endset -%}
    case
        when {{ number }} is null or isnan({{ number }}) then 'unparseable_amount'
        when abs({{ number }}) < 1e300 then 'amount_out_of_range'
        else 'infinite_amount'
    end
{%- endmacro %}
