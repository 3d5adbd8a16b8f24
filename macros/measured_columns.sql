{#- The columns of an input that data_quality looks at, in the order of the contract: those that the
    input gives, where staging holds them, and none that is personal or a group of persons. One that is not mapped is
    absent, which is another thing than empty.

    Each with its kind; staged: its name in staging; raw: its name there as it came, or none. -#}
{% macro measured_columns(input_name) -%}
    {%- set staged_names = {
        'orders': {'amount': 'gross_amount'},
        'order_lines': {'amount': 'given_amount', 'cost': 'cost_amount'},
        'refunds': {'amount': 'refund_amount'},
        'campaign_contacts': {'cost': 'cost_amount'},
        'exchange_rates': {'rate': 'exchange_rate'},
    }.get(input_name, {}) -%}
    {%- set raw_names = {'cost': 'raw_cost_amount'} -%}
    {#- Of the other inputs the store is in the keys alone. -#}
    {%- set left_out = ['email', 'name'] + (customer_value.fairness_groups() | reject('in', customer_value._own_customer_columns()) | list)
        + ([] if input_name in ['orders', 'order_lines'] else ['store']) -%}
    {%- set contract = customer_value.input_contract()[input_name] -%}
    {%- set columns = [] -%}
    {%- for need, kinds in contract.items() if customer_value.declared_inputs(input_name) -%}
        {%- for column_name, kind in kinds.items()
            if column_name not in left_out and (need == 'required' or customer_value.input_has(input_name, column_name)) -%}
            {%- do columns.append({
                'name': column_name,
                'kind': kind,
                'staged': staged_names.get(column_name, column_name),
                'raw': raw_names.get(column_name, 'raw_' ~ column_name) if kind in ['number', 'time'],
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
