{%- set filled = customer_value.filled_columns_of_orders() %}

with orders as (

    select * from {{ ref('int_customer_value__orders_kept') }}

),

-- Read only where a column is to be predicted.
order_imputation as (  -- noqa: ST03

    select * from {{ ref('order_imputation') }}

)

{%- for name, column, method in filled if method != 'predict' %},

{{ column }}_known as (

    {{ customer_value.typical_value('orders', column, method) }}

)
{%- endfor %}

{%- if filled %}

select
    orders.order_id,
    {% for column in ['gross_amount', 'discount_amount', 'cost_amount', 'channel'] -%}
        {%- set found = filled | selectattr(1, 'equalto', column) | list -%}
        {% if not found -%}
            cast(null as {{ dbt.type_string() if column == 'channel' else customer_value.type_amount() }}) as {{ column }},
        {%- elif found[0][2] == 'predict' -%}
            case when orders.{{ column }} is null then order_imputation.{{ column }} end as {{ column }},
        {%- else -%}
            case when orders.{{ column }} is null then {{ column }}_known.typical_value end as {{ column }},
        {%- endif %}
    {% endfor -%}
    nullif(
        concat_ws(
            ',',
            {% for name, column, method in filled -%}
                case
                    when
                        orders.{{ column }} is null
                        and {{ 'order_imputation.' ~ column if method == 'predict' else column ~ '_known.typical_value' }} is not null
                        then '{{ name }}'
                end {{- ',' if not loop.last }}
            {% endfor %}
        ),
        ''
    ) as imputed_columns
from orders
left join order_imputation on orders.order_id = order_imputation.order_id
{% for name, column, method in filled if method != 'predict' -%}
cross join {{ column }}_known
{% endfor -%}
where {% for name, column, method in filled -%} orders.{{ column }} is null {{- ' or ' if not loop.last }} {%- endfor %}
{%- else %}

-- Nothing is to be filled.
select
    order_id,
    gross_amount,
    discount_amount,
    cost_amount,
    channel,
    cast(null as {{ dbt.type_string() }}) as imputed_columns
from orders
where 1 = 0
{%- endif %}
