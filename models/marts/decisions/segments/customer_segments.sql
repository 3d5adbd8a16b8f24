with cluster_features as (

    select * from {{ ref('int_customer_value__cluster_features') }}

),

clusters as (

    select * from {{ ref('int_customer_value__clusters_named') }}

),

measured as (

    select
        cluster_features.customer_id,
        cluster_features.as_of_date,
        clusters.cluster_number,
        clusters.segment_name,
        clusters.model_version,
        round(
            sqrt(
                {% for name in ['recency', 'purchases', 'amount'] -%}
                    power((cluster_features.log_{{ name }} - clusters.center_log_{{ name }}) / clusters.deviation_log_{{ name }}, 2)
                    {{- ' +' if not loop.last }}
                {% endfor %}
            ),
            6
        ) as distance
    from cluster_features
    cross join clusters

),

ranked as (

    select
        *,
        row_number() over (partition by customer_id order by distance, cluster_number) as nearness
    from measured

)

select
    customer_id,
    cluster_number,
    segment_name,
    distance as distance_to_center,
    as_of_date,
    model_version,
    {{ customer_value.run_id() }} as run_id
from ranked
where nearness = 1
