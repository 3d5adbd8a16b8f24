{#- The inputs that the package reads, and of each its columns: required and optional ones, each
    with what it has to be readable as. -#}
{% macro input_contract() -%}
    {{ return({
        'orders': {
            'required': {'order_id': 'key', 'customer_id': 'key', 'ordered_at': 'time', 'amount': 'number'},
            'optional': {
                'status': 'text', 'discount_amount': 'number', 'refund_amount': 'number', 'cost_amount': 'number',
                'currency': 'text', 'channel': 'text', 'store': 'text', 'updated_at': 'time',
            },
        },
        'order_lines': {
            'required': {'order_id': 'key', 'product_id': 'key', 'quantity': 'number', 'unit_price': 'number'},
            'optional': {
                'line_number': 'key', 'customer_id': 'key', 'ordered_at': 'time', 'category': 'text',
                'cost': 'number', 'currency': 'text', 'channel': 'text', 'store': 'text',
            },
        },
        'customers': {
            'required': {'customer_id': 'key'},
            'optional': {
                'acquired_at': 'time', 'acquisition_cost': 'number', 'acquisition_channel': 'text',
                'email': 'text', 'name': 'text',
            },
        },
        'events': {
            'required': {'customer_id': 'key', 'event_at': 'time', 'event_name': 'text'},
            'optional': {'session_id': 'key', 'product_id': 'key'},
        },
        'campaign_contacts': {
            'required': {'customer_id': 'key', 'campaign_id': 'key', 'contacted_at': 'time'},
            'optional': {'treatment': 'text', 'cost': 'number', 'responded_at': 'time'},
        },
        'reviews': {
            'required': {'customer_id': 'key', 'product_id': 'key', 'reviewed_at': 'time', 'rating': 'number'},
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
    }) }}
{%- endmacro %}

{#- The names of an input's columns, required ones first. -#}
{% macro input_column_names(input_name) -%}
    {%- set contract = customer_value.input_contract()[input_name] -%}
    {{ return((contract['required'] | list) + (contract['optional'] | list)) }}
{%- endmacro %}
