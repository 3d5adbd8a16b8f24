with results as (

    select * from {{ ref('int_customer_value__recommendation_results') }}

),

chosen as (

    select * from {{ ref('int_customer_value__recommendations_chosen') }}

),

splits as (

    select * from {{ ref('int_customer_value__recommendation_splits') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

by_metric as (

    {% for metric in ['recall', 'ndcg', 'coverage'] -%}
        select
            windows_back,
            kind,
            method,
            '{{ metric }}' as metric,
            list_length,
            {{ metric }} as metric_value,
            customer_count,
            product_count
        from results
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    splits.split,
    by_metric.kind as recommendation_kind,
    by_metric.method,
    by_metric.metric,
    cast(by_metric.list_length as {{ dbt.type_int() }}) as list_length,
    round(by_metric.metric_value, 9) as metric_value,
    round(popular.metric_value, 9) as popularity_value,
    chosen.method is not null as is_chosen,
    cast(by_metric.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(by_metric.product_count as {{ dbt.type_bigint() }}) as product_count,
    splits.split_date,
    cast({{ var('recommendation_window_days') }} as {{ dbt.type_int() }}) as recommendation_window_days,
    run.as_of_date,
    run.run_id
from by_metric
inner join by_metric as popular
    on
        by_metric.windows_back = popular.windows_back
        and by_metric.kind = popular.kind
        and by_metric.metric = popular.metric
        and by_metric.list_length = popular.list_length
        and popular.method = 'popularity'
inner join splits on by_metric.windows_back = splits.windows_back
left join chosen on by_metric.kind = chosen.kind and by_metric.method = chosen.method
cross join run
