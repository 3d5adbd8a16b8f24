{%- set methods = (var('missing_values') or {}).get('customers') or {} %}

with customers as (

    select * from {{ ref('int_customer_value__customers_won') }}

),

customer_imputation as (

    select * from {{ ref('customer_imputation') }}

)

{%- for name, method in methods.items() if method in ['median', 'mode'] %},

{{ name }}_known as (

    {{ customer_value.typical_value('customers', name, method) }}

)
{%- endfor %},

filled as (

    select
        customers.customer_id,
        customers.acquired_at,
        customers.acquisition_channel as known_channel,
        customers.acquisition_cost as known_cost,
        {% for name in ['acquisition_channel', 'acquisition_cost'] -%}
            {%- set method = methods.get(name) -%}
            {% if method in ['median', 'mode'] -%}
                coalesce(customers.{{ name }}, {{ name }}_known.typical_value) as {{ name }}
            {%- elif method == 'predict' -%}
                coalesce(customers.{{ name }}, customer_imputation.{{ name }}) as {{ name }}
            {%- else -%}
                customers.{{ name }}
            {%- endif -%}
            {{- ',' if not loop.last }}
        {% endfor %}
    from customers
    left join customer_imputation on customers.customer_id = customer_imputation.customer_id
    {% for name, method in methods.items() if method in ['median', 'mode'] -%}
        cross join {{ name }}_known
    {% endfor %}
)

select
    customer_id,
    acquired_at,
    acquisition_channel,
    acquisition_cost,
    (known_channel is null and acquisition_channel is not null)
    or (known_cost is null and acquisition_cost is not null) as is_imputed,
    nullif(
        concat_ws(
            ',',
            case when known_channel is null and acquisition_channel is not null then 'acquisition_channel' end,
            case when known_cost is null and acquisition_cost is not null then 'acquisition_cost' end
        ),
        ''
    ) as imputed_columns
from filled
