{#- The inputs that the package reads, and of each its columns: required and optional ones, each
    with what it has to be readable as. A group column that the var fairness_groups names is required
    of customers. -#}
{% macro input_contract() -%}
    {%- set group_columns = {} -%}
    {%- for name in customer_value.fairness_groups() if name not in customer_value._own_customer_columns() -%}
        {%- do group_columns.update({name: 'text'}) -%}
    {%- endfor -%}
    {{ return({
        'orders': {
            'required': {'order_id': 'key', 'customer_id': 'key', 'ordered_at': 'time', 'amount': 'number'},
            'optional': {
                'status': 'text', 'discount_amount': 'number', 'refund_amount': 'number', 'refunded_at': 'time',
                'refunded_order_id': 'key', 'cost_amount': 'number', 'currency': 'text', 'channel': 'text',
                'store': 'text', 'updated_at': 'time',
            },
        },
        'order_lines': {
            'required': {'order_id': 'key', 'product_id': 'key', 'quantity': 'number', 'unit_price': 'number'},
            'optional': {
                'line_number': 'key', 'customer_id': 'key', 'ordered_at': 'time', 'category': 'text',
                'amount': 'number', 'discount_amount': 'number', 'cost': 'number', 'currency': 'text',
                'channel': 'text', 'store': 'text',
            },
        },
        'refunds': {
            'required': {'order_id': 'key', 'refunded_at': 'time', 'amount': 'number'},
            'optional': {'refund_id': 'key', 'currency': 'text', 'store': 'text'},
        },
        'customers': {
            'required': dict({'customer_id': 'key'}, **group_columns),
            'optional': {
                'acquired_at': 'time', 'acquisition_cost': 'number', 'acquisition_channel': 'text',
                'email': 'text', 'name': 'text', 'store': 'text',
            },
        },
        'events': {
            'required': {'customer_id': 'key', 'event_at': 'time', 'event_name': 'text'},
            'optional': {'session_id': 'key', 'product_id': 'key', 'store': 'text'},
        },
        'campaign_contacts': {
            'required': {'customer_id': 'key', 'campaign_id': 'key', 'contacted_at': 'time'},
            'optional': {'treatment': 'text', 'cost': 'number', 'responded_at': 'time', 'store': 'text'},
        },
        'reviews': {
            'required': {'customer_id': 'key', 'product_id': 'key', 'reviewed_at': 'time', 'rating': 'number'},
            'optional': {'store': 'text'},
        },
        'exchange_rates': {
            'required': {'currency': 'text', 'rate_date': 'time', 'rate': 'number'},
            'optional': {},
        },
        'customer_identities': {
            'required': {'customer_id': 'key', 'canonical_customer_id': 'key'},
            'optional': {},
        },
        'excluded_customers': {
            'required': {'customer_id': 'key'},
            'optional': {},
        },
        'erased_customers': {
            'required': {'customer_id': 'key'},
            'optional': {},
        },
    }) }}
{%- endmacro %}

{#- The names of an input's columns, required ones first. -#}
{% macro input_column_names(input_name) -%}
    {%- set contract = customer_value.input_contract()[input_name] -%}
    {{ return((contract['required'] | list) + (contract['optional'] | list)) }}
{%- endmacro %}
