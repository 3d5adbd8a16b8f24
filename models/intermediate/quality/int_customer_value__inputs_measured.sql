{#- The time that a row of each input is dated by. -#}
{%- set times = {
    'orders': 'ordered_at', 'order_lines': 'ordered_at', 'refunds': 'refunded_at', 'customers': 'acquired_at',
    'events': 'event_at', 'campaign_contacts': 'contacted_at', 'reviews': 'reviewed_at', 'exchange_rates': 'rate_date',
} %}
{#- A customer or a rate of later is no later row: it is read whatever its date. -#}
{%- set undated = ['customers', 'exchange_rates'] %}
{%- set inputs = customer_value.input_contract() %}
{%- set base = 'orders' if var('inputs').get('orders') else 'order_lines' %}
{%- set double = customer_value.type_double() %}

-- Those that are not given are not read, but they may be given tomorrow.
{%- for input_name in inputs %}
-- depends_on: {{ ref('stg_customer_value__' ~ input_name) }}
{%- endfor %}

with built_counted as (

    select count(*) as row_count from {{ ref('int_customer_value__orders_from_lines') }}

),

{%- for input_name in inputs if input_name == 'orders' or customer_value.declared_inputs(input_name) %}
{%- set columns = customer_value.measured_columns(input_name) %}
{%- set time = times.get(input_name) if columns | selectattr('name', 'equalto', times.get(input_name)) | list else none %}

{{ input_name }}_counted as (

    select count(*) as row_count from {{ ref('stg_customer_value__' ~ input_name) }}

),
{%- if columns %}

-- One pass. What came after the date of the run is counted as rows, and nothing else of it.
{{ input_name }}_measured as (

    select
        count(*) as row_count
        {%- for column in columns %},
            count(
                case
                    {% if column.raw -%}
                        when {{ column.staged }} is null
                            then case when {{ column.raw }} is null or trim(cast({{ column.raw }} as {{ dbt.type_string() }})) = '' then 1 end
                    {%- else -%}
                        when {{ column.staged }} is null or {{ customer_value.is_blank(column.staged) }} then 1
                    {%- endif %}
                end
            ) as empty_{{ column.name }}
            {%- if column.kind == 'number' %},
                count(
                    case
                        when {{ customer_value.is_unreadable(column.staged, column.raw) }} then 1
                        when abs({{ column.staged }}) >= 1e13 then 1
                    end
                ) as out_of_range_{{ column.name }}
            {%- endif %}
        {%- endfor %}
        {%- if input_name == base %},
            {%- set amount = 'gross_amount' if base == 'orders' else
                'coalesce(given_amount, try_cast(quantity * unit_price as ' ~ customer_value.type_amount() ~ '))' %}
            sum(case when {{ amount }} > 0 and {{ amount }} < 1e13 then {{ amount }} end) as income,
            sum(
                case
                    when {{ amount }} > 0 and {{ amount }} < 1e13 and (customer_id is null or {{ customer_value.is_blank('customer_id') }})
                        then {{ amount }}
                    else 0
                end
            ) as income_without_customer
        {%- endif %}
        {%- if time == 'rate_date' %},
            max(case when rate_date >= date '1900-01-01' and rate_date < date '2200-01-01' then rate_date end) as last_date
        {%- elif time %},
            {{ customer_value.reporting_date(
                "max(case when " ~ time ~ " >= timestamp '1900-01-01' and " ~ time ~ " < " ~ customer_value.as_of_date_limit() ~ " then " ~ time ~ " end)"
            ) }} as last_date
        {%- endif %}
    from {{ ref('stg_customer_value__' ~ input_name) }}
    {%- if time and var('as_of_date') and input_name not in undated %}
    where {{ time }} is null or {{ time }} < {{ customer_value.as_of_date_limit() }}
    {%- endif %}

),
{%- endif %}
{%- endfor %}

measured as (

    -- Orders are given or built from lines, and one of the two is empty. Those that are built are
    -- counted alone: all that they say, their lines have said.
    select
        'orders' as input_name,
        'row_count' as metric,
        'all' as subject,
        cast(orders_counted.row_count + built_counted.row_count as {{ double }}) as part,
        cast(null as {{ double }}) as whole,
        cast(null as date) as last_date
    from orders_counted
    cross join built_counted

    {%- for input_name in inputs if customer_value.declared_inputs(input_name) %}
    {%- set columns = customer_value.measured_columns(input_name) %}
    {%- if input_name != 'orders' %}

    union all

    select
        '{{ input_name }}' as input_name,
        'row_count' as metric,
        'all' as subject,
        cast(row_count as {{ double }}) as part,
        null as whole,
        null as last_date
    from {{ input_name }}_counted
    {%- endif %}
    {%- for column in columns %}
    {%- for metric, prefix in [('null_rate', 'empty_'), ('amount_out_of_range_rate', 'out_of_range_')]
        if metric == 'null_rate' or column.kind == 'number' %}

    union all

    select
        '{{ input_name }}' as input_name,
        '{{ metric }}' as metric,
        '{{ column.name }}' as subject,
        cast({{ prefix }}{{ column.name }} as {{ double }}) as part,
        cast(row_count as {{ double }}) as whole,
        null as last_date
    from {{ input_name }}_measured
    {%- endfor %}
    {%- endfor %}
    {%- if columns | selectattr('name', 'equalto', times.get(input_name)) | list %}

    union all

    select
        '{{ input_name }}' as input_name,
        'freshness_days' as metric,
        'all' as subject,
        null as part,
        null as whole,
        last_date
    from {{ input_name }}_measured
    {%- endif %}
    {%- if input_name == base %}

    union all

    select
        '{{ input_name }}' as input_name,
        'revenue_without_customer_rate' as metric,
        'all' as subject,
        cast(income_without_customer as {{ double }}) as part,
        cast(income as {{ double }}) as whole,
        null as last_date
    from {{ input_name }}_measured
    {%- endif %}
    {%- endfor %}

)

select
    input_name,
    metric,
    subject,
    part,
    whole,
    last_date
from measured
