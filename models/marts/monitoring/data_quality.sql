{{
    config(
        materialized='incremental',
        unique_key='as_of_date',
        incremental_strategy='delete+insert',
        on_schema_change='append_new_columns',
        full_refresh=false
    )
}}

{#- By as_of_date alone: a second run of a date replaces all that the first one said of it, also of
    reasons and columns that are no more. -#}
{%- set inputs = [] %}
{%- for input_name in customer_value.input_contract() if input_name == 'orders' or customer_value.declared_inputs(input_name) %}
    {%- do inputs.append(input_name) %}
{%- endfor %}
{#- Lists of ids, in which nothing is looked for twice. -#}
{%- set lists = ['customer_identities', 'excluded_customers', 'erased_customers'] %}
{#- Orders given back, tests, postage: rows that are well, and no order by the shop's own word; and
    those that the run's date is too early for. -#}
{%- set set_aside = ['after_as_of_date', 'cancelled_order', 'test_order', 'excluded_customer', 'erased_customer', 'not_goods'] %}
{%- set double = customer_value.type_double() %}
{%- set text = dbt.type_string() %}
{%- set filled = {} %}
{%- for input_name in ['orders', 'customers'] if input_name in inputs %}
    {%- do filled.update({input_name: {}}) %}
    {%- for column_name, method in ((var('missing_values') or {}).get(input_name) or {}).items() if method in ['median', 'mode', 'predict'] %}
        {%- do filled[input_name].update({column_name: method}) %}
    {%- endfor %}
{%- endfor %}

-- Read where the var missing_values asks for what they fill.
-- depends_on: {{ ref('int_customer_value__customer_attributes') }}
-- depends_on: {{ ref('order_imputation') }}
-- depends_on: {{ ref('customer_imputation') }}
with run as (

    select
        as_of_date,
        run_id
    from {{ ref('int_customer_value__run') }}

),

inputs_measured as (

    select * from {{ ref('int_customer_value__inputs_measured') }}

),

orders as (

    select * from {{ ref('orders_cleaned') }}

),

rejected_by_reason as (

    {% for input_name in ['orders', 'order_lines'] -%}
        select
            '{{ input_name }}' as input_name,
            reject_reason,
            count(*) as rejected_row_count
        from {{ ref(input_name ~ '_rejected') }}
        group by reject_reason

        union all

    {% endfor -%}

    select
        input_name,
        reject_reason,
        count(*) as rejected_row_count
    from {{ ref('inputs_rejected') }}
    group by input_name, reject_reason

),

input_rows as (

    select
        inputs_measured.input_name,
        max(inputs_measured.part) as row_count,
        coalesce(sum(rejected_by_reason.rejected_row_count), 0) as rejected_row_count,
        coalesce(
            sum(case when rejected_by_reason.reject_reason in ('{{ set_aside | join("', '") }}') then rejected_by_reason.rejected_row_count end), 0
        ) as set_aside_row_count,
        coalesce(
            sum(case when rejected_by_reason.reject_reason like 'duplicate_%' then rejected_by_reason.rejected_row_count end), 0
        ) as duplicate_row_count
    from inputs_measured
    left join rejected_by_reason on inputs_measured.input_name = rejected_by_reason.input_name
    where inputs_measured.metric = 'row_count'
    group by inputs_measured.input_name

),

clean_orders as (

    select
        count(*) as row_count,
        count(case when is_outlier then 1 end) as outlier_count
        {%- for column_name in filled.orders %},
            count(case when ',' || imputed_columns || ',' like '%,{{ column_name }},%' then 1 end) as imputed_{{ column_name }}
        {%- endfor %}
    from orders

),
{%- if filled.customers %}

won_customers as (

    select
        {% for column_name in filled.customers -%}
            count(case when ',' || imputed_columns || ',' like '%,{{ column_name }},%' then 1 end) as imputed_{{ column_name }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_customer_value__customer_attributes') }}

),
{%- endif %}

metrics as (

    {% for metric, part, whole in [
        ('row_count', 'row_count', 'null'),
        ('accepted_row_count', 'row_count - rejected_row_count', 'null'),
        ('rejected_row_count', 'rejected_row_count', 'null'),
        ('rejected_rate', 'rejected_row_count - set_aside_row_count', 'row_count - set_aside_row_count'),
        ('duplicate_rate', 'duplicate_row_count', 'row_count - set_aside_row_count'),
    ] -%}
        select
            input_name,
            '{{ metric }}' as metric,
            'all' as subject,
            cast({{ part }} as {{ double }}) as part,
            cast({{ whole }} as {{ double }}) as whole,
            cast(null as {{ double }}) as baseline_value
        from input_rows
        {% if metric == 'duplicate_rate' -%} where input_name not in ('{{ lists | join("', '") }}') {%- endif %}

        union all

    {% endfor -%}

    select
        input_name,
        'rejected_row_count' as metric,
        reject_reason as subject,
        rejected_row_count as part,
        null as whole,
        null as baseline_value
    from rejected_by_reason

    union all

    select
        input_name,
        metric,
        subject,
        part,
        whole,
        null as baseline_value
    from inputs_measured
    where metric like '%_rate'

    union all

    select
        inputs_measured.input_name,
        inputs_measured.metric,
        inputs_measured.subject,
        {{ customer_value.datediff('inputs_measured.last_date', 'run.as_of_date', 'day') }} as part,
        null as whole,
        null as baseline_value
    from inputs_measured
    cross join run
    where inputs_measured.metric = 'freshness_days'

    union all

    select
        'orders' as input_name,
        'outlier_rate' as metric,
        'all' as subject,
        outlier_count as part,
        row_count as whole,
        null as baseline_value
    from clean_orders

    {%- for input_name, columns in filled.items() %}
    {%- for column_name, method in columns.items() %}

    union all

    select
        '{{ input_name }}' as input_name,
        'imputed_row_count' as metric,
        '{{ column_name }}' as subject,
        imputed_{{ column_name }} as part,
        null as whole,
        null as baseline_value
    from {{ 'clean_orders' if input_name == 'orders' else 'won_customers' }}

    {%- if method == 'predict' %}
    {%- set target = {'amount': 'gross_amount'}.get(column_name, column_name) %}
    {%- set held_out = [target, 'targets', target, 'held_out'] %}

    union all

    -- One description stands in every row.
    select
        '{{ input_name }}' as input_name,
        'imputation_error' as metric,
        '{{ column_name }}' as subject,
        {{ customer_value.json_number('max(description)', held_out + ['mean_absolute_error']) }} as part,
        null as whole,
        {{ customer_value.json_number('max(description)', held_out + ['mean_absolute_error_of_median']) }} as baseline_value
    from {{ ref('order_imputation' if input_name == 'orders' else 'customer_imputation') }}
    {%- endif %}
    {%- endfor %}
    {%- endfor %}

),

-- Without a subject for whatever has no thresholds of its own.
thresholds as (

    select
        cast(null as {{ text }}) as input_name,
        cast(null as {{ text }}) as metric,
        cast(null as {{ text }}) as subject,
        cast(null as {{ double }}) as warn_threshold,
        cast(null as {{ double }}) as error_threshold

    {%- for input_name in inputs %}
    {%- for metric in customer_value._data_quality_metrics() %}
    {%- for subject, pair in customer_value.data_quality_thresholds(input_name, metric).items() if pair or subject %}

    union all

    select
        '{{ input_name }}' as input_name,
        '{{ metric }}' as metric,
        {{ "'" ~ subject ~ "'" if subject else 'null' }} as subject,
        {{ pair.get('warn', none) if pair.get('warn') is not none else 'null' }} as warn_threshold,
        {{ pair.get('error', none) if pair.get('error') is not none else 'null' }} as error_threshold
    {%- endfor %}
    {%- endfor %}
    {%- endfor %}

),

subjects_with_thresholds as (

    select * from thresholds
    where subject is not null

),

compared as (

    select
        metrics.input_name,
        metrics.metric,
        metrics.subject,
        -- A rate of nothing is none.
        round(case when metrics.metric like '%_rate' then metrics.part / nullif(metrics.whole, 0) else metrics.part end, 9) as value,
        round(metrics.baseline_value, 9) as baseline_value,
        case when own.subject is null then general.warn_threshold else own.warn_threshold end as warn_threshold,
        case when own.subject is null then general.error_threshold else own.error_threshold end as error_threshold
    from metrics
    left join subjects_with_thresholds as own
        on metrics.input_name = own.input_name and metrics.metric = own.metric and metrics.subject = own.subject
    left join thresholds as general
        on metrics.input_name = general.input_name and metrics.metric = general.metric and general.subject is null

)

select
    run.as_of_date,
    compared.input_name,
    compared.metric,
    compared.subject,
    compared.value,
    compared.baseline_value,
    compared.warn_threshold,
    compared.error_threshold,
    case
        when compared.value > compared.error_threshold then 'error'
        when compared.value > compared.warn_threshold then 'warn'
        else 'pass'
    end as severity,
    run.run_id
from compared
cross join run
