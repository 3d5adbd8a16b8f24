{{ config(materialized='incremental', unique_key='edition', on_schema_change='append_new_columns', full_refresh=false) }}

select
    edition,
    count(*) as customer_count,
    min(run_id) as run_id
from {{ ref('customer_tiers') }}
group by edition
