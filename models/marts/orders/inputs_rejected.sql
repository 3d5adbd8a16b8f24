{#- What is rejected of each input that has no rejects table of its own: the columns that tell of
    the row, none of them personal. -#}
{%- set inputs = {
    'customers': ['acquisition_channel', 'raw_acquisition_cost', 'raw_acquired_at'],
    'events': ['session_id', 'product_id', 'event_name', 'raw_event_at'],
    'campaign_contacts': ['campaign_id', 'treatment', 'raw_cost_amount', 'raw_contacted_at', 'raw_responded_at'],
    'reviews': ['product_id', 'raw_rating', 'raw_reviewed_at'],
} -%}

with rejected as (

    {% for name, columns in inputs.items() -%}
        select
            '{{ name }}' as input_name,
            reject_reason,
            raw_customer_id,
            {{ customer_value.values_as_json(columns) }} as raw_values
        from {{ ref('int_customer_value__' ~ name ~ '_checked') }}
        where reject_reason is not null

        union all

    {% endfor -%}

    select
        'refunds' as input_name,
        reject_reason,
        cast(null as {{ dbt.type_string() }}) as raw_customer_id,
        {{ customer_value.values_as_json(['raw_order_id', 'claimed_currency', 'raw_amount', 'raw_refunded_at']) }} as raw_values
    from {{ ref('int_customer_value__refunds_checked') }}
    where input_name = 'refunds' and reject_reason is not null

    union all

    select
        'exchange_rates' as input_name,
        reject_reason,
        cast(null as {{ dbt.type_string() }}) as raw_customer_id,
        {{ customer_value.values_as_json(['currency', 'raw_rate_date', 'raw_rate']) }} as raw_values
    from {{ ref('int_customer_value__exchange_rates_checked') }}
    where reject_reason is not null

    union all

    select
        'customer_identities' as input_name,
        'missing_customer_id' as reject_reason,
        customer_id as raw_customer_id,
        {{ customer_value.values_as_json(['canonical_customer_id']) }} as raw_values
    from {{ ref('stg_customer_value__customer_identities') }}
    where coalesce(trim(customer_id), '') = '' or coalesce(trim(canonical_customer_id), '') = ''

    union all

    {% for name in ['excluded_customers', 'erased_customers'] -%}
        select
            '{{ name }}' as input_name,
            'missing_customer_id' as reject_reason,
            customer_id as raw_customer_id,
            '{}' as raw_values
        from {{ ref('stg_customer_value__' ~ name) }}
        where coalesce(trim(customer_id), '') = ''
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    input_name,
    reject_reason,
    case when reject_reason <> 'erased_customer' then raw_customer_id end as raw_customer_id,
    case when reject_reason <> 'erased_customer' then raw_values end as raw_values,
    {{ customer_value.run_id() }} as run_id
from rejected
