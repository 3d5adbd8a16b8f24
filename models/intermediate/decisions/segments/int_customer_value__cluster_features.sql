{{ config(materialized='view') }}

with customer_features as (

    select * from {{ ref('customer_features') }}

),

run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

)

-- Recency, frequency and amount on scales where a step is a ratio, so that no currency and no single
-- large customer draws the clusters.
select
    customer_features.customer_id,
    customer_features.as_of_date,
    customer_features.log_recency,
    customer_features.log_purchases,
    customer_features.log_amount
from customer_features
inner join run on customer_features.as_of_date = run.as_of_date
