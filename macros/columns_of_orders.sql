{#- The columns of orders_cleaned that an order says by itself, whatever else its customer ordered:
    two orders that are equal in all of them are one. -#}
{% macro own_columns_of_orders() -%}
    {{ return([
        'order_id', 'customer_id', 'ordered_at', 'order_date', 'gross_amount', 'discount_amount', 'refund_amount',
        'net_amount', 'margin_amount', 'currency', 'original_currency', 'original_gross_amount', 'exchange_rate',
        'channel', 'store', 'status', 'refunded_at', 'updated_at', 'is_outlier', 'is_imputed', 'imputed_columns',
    ]) }}
{%- endmacro %}

{#- Those of them that no order has, by what the inputs map and what the vars ask for, each with its
    type: they are null in every row, and need not be carried through a sort of all orders. None where
    the project has put a model of its own in the place of one of ours that they come from. -#}
{% macro columns_no_order_has() -%}
    {%- set text, time = dbt.type_string(), 'timestamp' -%}
    {%- set source = 'orders' if customer_value.declared_inputs('orders') else 'order_lines' -%}
    {%- set empty = {} -%}
    {%- for name, type in [('currency', text), ('store', text), ('status', text), ('refunded_at', time), ('updated_at', time)]
        if not customer_value.input_has(source, name) and not (name == 'currency' and var('reporting_currency')) -%}
        {%- do empty.update({name: type}) -%}
    {%- endfor -%}
    {%- if not var('reporting_currency') -%}
        {%- do empty.update({
            'original_currency': text, 'original_gross_amount': customer_value.type_amount(), 'exchange_rate': 'decimal(20, 10)',
        }) -%}
    {%- endif -%}
    {%- if not customer_value.filled_columns_of_orders() -%}
        {%- do empty.update({'imputed_columns': text}) -%}
    {%- endif -%}
    {{ return(empty if customer_value.are_all_ours([
        'stg_customer_value__orders', 'int_customer_value__orders_from_lines', 'int_customer_value__orders_gathered',
        'int_customer_value__orders_checked', 'int_customer_value__orders_repeated', 'int_customer_value__orders_kept',
        'int_customer_value__orders_filled', 'int_customer_value__orders_completed',
    ]) else {}) }}
{%- endmacro %}

{#- Whether none of these models of ours was replaced by one of the project's own. -#}
{% macro are_all_ours(names) -%}
    {%- set others = [] -%}
    {%- for name in names if execute and 'model.customer_value.' ~ name not in graph.nodes -%}
        {%- do others.append(name) -%}
    {%- endfor -%}
    {{ return(others | length == 0) }}
{%- endmacro %}

{#- Columns of orders that are filled where they are missing, as the var missing_values names them:
    name, column of ours, method. -#}
{% macro filled_columns_of_orders() -%}
    {%- set amounts = {'amount': 'gross_amount', 'discount_amount': 'discount_amount', 'cost_amount': 'cost_amount'} -%}
    {%- set filled = [] -%}
    {%- for name, method in ((var('missing_values') or {}).get('orders') or {}).items() if method in ['median', 'mode', 'predict'] -%}
        {%- do filled.append((name, amounts.get(name, name), method)) -%}
    {%- endfor -%}
    {{ return(filled) }}
{%- endmacro %}
