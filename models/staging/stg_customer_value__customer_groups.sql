{%- set groups = customer_value.fairness_groups() -%}

with source as (

    {{ customer_value.input_rows('customers') }}

)

{% for group_name in groups -%}
    select
        {{ customer_value.to_key('customers', 'customer_id') }} as customer_id,
        '{{ group_name }}' as group_name,
        nullif(trim(cast(input_{{ group_name }} as {{ dbt.type_string() }})), '') as group_value
    from source
    {{ 'union all' if not loop.last }}
{% else -%}
    select
        {{ customer_value.to_key('customers', 'customer_id') }} as customer_id,
        cast(null as {{ dbt.type_string() }}) as group_name,
        cast(null as {{ dbt.type_string() }}) as group_value
    from source
    where 1 = 0
{%- endfor %}
