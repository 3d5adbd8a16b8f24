{#- The inputs that the package reads, and of each its columns: required and optional ones. -#}
{% macro input_contract() -%}
    {{ return({
        'orders': {
            'required': ['order_id', 'customer_id', 'ordered_at', 'amount'],
            'optional': [
                'status', 'discount_amount', 'refund_amount', 'cost_amount',
                'currency', 'channel', 'store', 'updated_at',
            ],
        },
    }) }}
{%- endmacro %}
