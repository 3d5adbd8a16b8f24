{%- set methods = (var('missing_values') or {}).get('customers') or {} %}

with customers as (

    select * from {{ ref('int_customer_value__customers_checked') }}
    where reject_reason is null

),

-- Whoever was won twice counts as won the first time.
ranked as (

    select
        customer_id,
        acquired_at,
        acquisition_channel,
        acquisition_cost,
        row_number() over (
            partition by customer_id
            order by
                acquired_at asc nulls last,
                acquisition_cost desc nulls last,
                acquisition_channel asc nulls last
        ) as acquisition_rank
    from customers

),

first_acquisitions as (

    select * from ranked
    where acquisition_rank = 1

)

{%- for name, method in methods.items() if method in ['median', 'mode'] %},

{{ name }}_known as (

    {{ customer_value.typical_value('first_acquisitions', name, method) }}

)
{%- endfor %},

filled as (

    select
        first_acquisitions.customer_id,
        first_acquisitions.acquired_at,
        first_acquisitions.acquisition_channel as known_channel,
        first_acquisitions.acquisition_cost as known_cost,
        {% for name in ['acquisition_channel', 'acquisition_cost'] -%}
            {{ 'coalesce(first_acquisitions.' ~ name ~ ', ' ~ name ~ '_known.typical_value)' if methods.get(name) in ['median', 'mode'] else 'first_acquisitions.' ~ name }} as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from first_acquisitions
    {% for name, method in methods.items() if method in ['median', 'mode'] -%}
        cross join {{ name }}_known
    {% endfor %}
)

select
    customer_id,
    acquired_at,
    acquisition_channel,
    acquisition_cost,
    known_channel is distinct from acquisition_channel or known_cost is distinct from acquisition_cost as is_imputed
from filled
