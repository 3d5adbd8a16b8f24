{{ config(materialized='view') }}

{#- Centers do not move any more with more customers than these, and time to fit them would. -#}
{%- set most_customers = [var('max_training_rows') | int, 20000] | min -%}

with cluster_features as (

    select * from {{ ref('int_customer_value__cluster_features') }}

),

counted as (

    select
        *,
        count(*) over () as customer_count
    from cluster_features

)

select
    customer_id,
    log_recency,
    log_purchases,
    log_amount
from counted
where
    customer_count <= {{ most_customers }}
    or {{ customer_value.hash_fraction("customer_id || '" ~ var('random_seed') ~ "'") }} * customer_count < {{ most_customers }}
