{%- set limit = customer_value.monitored_customer_limit() -%}

with prediction_history as (

    select * from {{ ref('prediction_history') }}

),

customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

previous as (

    select max(prediction_history.as_of_date) as as_of_date
    from prediction_history
    inner join {{ ref('int_customer_value__run') }} as run on prediction_history.as_of_date < run.as_of_date

),

sizes as (

    select count(*) as customer_count
    from prediction_history
    inner join previous on prediction_history.as_of_date = previous.as_of_date

),

points as (

    select
        prediction_history.customer_id,
        {{ customer_value.datediff('customers.first_order_date', 'prediction_history.as_of_date', 'day') }} as tenure_days,
        prediction_history.churn_probability,
        prediction_history.predicted_net_amount
    from prediction_history
    inner join previous on prediction_history.as_of_date = previous.as_of_date
    inner join customers on prediction_history.customer_id = customers.customer_id
    cross join sizes
    where {{ customer_value.hash_fraction("'monitoring:' || prediction_history.customer_id") }} * sizes.customer_count < {{ limit }}

),

{{ customer_value.distribution_profile('points', customer_value.monitored_predictions()) }}

select
    distribution_profile.*,
    previous.as_of_date as reference_as_of_date
from distribution_profile
cross join previous
