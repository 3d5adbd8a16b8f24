with cluster_training as (

    select * from {{ ref('cluster_training') }}

),

run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

),

-- How far a cluster's center is from the average customer, in standard deviations.
clusters as (

    select
        cluster_training.*,
        {% for name in ['recency', 'purchases', 'amount'] -%}
            (cluster_training.center_log_{{ name }} - cluster_training.mean_log_{{ name }})
            / cluster_training.deviation_log_{{ name }} as {{ name }}_offset,
        {% endfor -%}
        count(*) over () as cluster_count
    from cluster_training
    inner join run on cast(cluster_training.as_of_date as date) = run.as_of_date

),

-- A third of a deviation is what makes a difference worth a word.
worded as (

    select
        *,
        coalesce(
            nullif(
                concat_ws(
                    ', ',
                    case when recency_offset < -1 / 3.0 then 'recent' when recency_offset > 1 / 3.0 then 'long silent' end,
                    case when purchases_offset > 1 / 3.0 then 'frequent' when purchases_offset < -1 / 3.0 then 'few orders' end,
                    case when amount_offset > 1 / 3.0 then 'large orders' when amount_offset < -1 / 3.0 then 'small orders' end
                ),
                ''
            ),
            'average'
        ) as words
    from clusters

)

select
    cast(cluster_number as {{ dbt.type_int() }}) as cluster_number,
    case
        when count(*) over (partition by words) > 1 then words || ' (' || cast(cluster_number as {{ dbt.type_string() }}) || ')'
        else words
    end as segment_name,
    cast(cluster_count as {{ dbt.type_int() }}) as cluster_count,
    case when not isnan(silhouette) then silhouette end as silhouette,
    {% for name in ['recency', 'purchases', 'amount'] -%}
        center_log_{{ name }},
        deviation_log_{{ name }},
        {{ name }}_offset,
    {% endfor -%}
    model_version
from worded
