{#- A 64-bit fingerprint of some columns of a row, to compare rows within one query. It may change
    between versions of the engine: never store it. -#}
{% macro row_fingerprint(columns) -%}
    {{ return(adapter.dispatch('row_fingerprint', 'customer_value')(columns)) }}
{%- endmacro %}

{% macro spark__row_fingerprint(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}

{% macro default__row_fingerprint(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- The columns of orders_cleaned that an order says by itself, whatever else its customer ordered:
    two orders that are equal in all of them are one. -#}
{% macro own_columns_of_orders() -%}
    {{ return([
        'order_id', 'customer_id', 'ordered_at', 'order_date', 'gross_amount', 'discount_amount', 'refund_amount',
        'net_amount', 'margin_amount', 'currency', 'original_currency', 'original_gross_amount', 'exchange_rate',
        'channel', 'store', 'status', 'refunded_at', 'updated_at', 'is_outlier', 'is_imputed', 'imputed_columns',
    ]) }}
{%- endmacro %}
