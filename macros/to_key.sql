{#- A key of an input as text. Where every store numbers for itself, the store is part of it, so that
    order 1042 of one is not order 1042 of another: berlin:1042. A colon in a store's name is
    escaped, or "a:b" with "c" and "a" with "b:c" would be one; and in a key without a store. -#}
{% macro to_key(input_name, column_name) -%}
    {%- set kind = {'refunded_order_id': 'order_id', 'canonical_customer_id': 'customer_id'}.get(column_name, column_name) -%}
    {%- set key -%} cast(input_{{ column_name }} as {{ dbt.type_string() }}) {%- endset -%}
    {%- if kind in customer_value.store_keys() and customer_value.input_has(input_name, 'store') -%}
        {%- set key -%}
            case
                when {{ customer_value.is_blank(key) }} then {{ key }}
                when input_store is null or {{ customer_value.is_blank('cast(input_store as ' ~ dbt.type_string() ~ ')') }}
                    then {{ customer_value._without_colon(key) }}
                else {{ customer_value._without_colon('cast(input_store as ' ~ dbt.type_string() ~ ')') }} || ':' || {{ key }}
            end
        {%- endset -%}
    {%- endif -%}
    {%- if kind == 'customer_id' and var('pseudonymize') -%}
        {%- set key -%} {{ customer_value.pseudonym(key) }} {%- endset -%}
    {%- endif -%}
    {{ key }}
{%- endmacro %}

{#- A text whose colons are escaped. -#}
{% macro _without_colon(expression) -%}
    replace(replace({{ expression }}, '\', '\\'), ':', '\:')
{%- endmacro %}

{#- The keys that a store is part of: what the var says; left alone, order_id where orders tell
    their store, and customer_id too where several shops are fused. -#}
{% macro store_keys() -%}
    {%- set base = 'orders' if customer_value.declared_inputs('orders') else 'order_lines' -%}
    {%- if var('store_keys') is not none -%}
        {{ return(var('store_keys')) }}
    {%- elif not customer_value.input_has(base, 'store') -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return(['order_id', 'customer_id'] if customer_value.declared_inputs(base) | length > 1 else ['order_id']) }}
{%- endmacro %}
