with predicted as (

    select * from {{ ref('rating_scoring') }}

),

reviews as (

    select * from {{ ref('int_customer_value__reviews_rated') }}

),

customers as (

    select
        customer_number,
        customer_id,
        count(*) as review_count
    from reviews
    group by customer_number, customer_id

),

products as (

    select
        product_number,
        product_id,
        count(*) as review_count,
        avg(rating order by review_number) as mean_rating
    from reviews
    group by product_number, product_id

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

select
    customers.customer_id,
    products.product_id,
    cast(predicted.prediction_rank as {{ dbt.type_int() }}) as prediction_rank,
    round(predicted.predicted_rating, 6) as predicted_rating,
    round(products.mean_rating, 6) as mean_rating,
    cast(customers.review_count as {{ dbt.type_bigint() }}) as customer_review_count,
    cast(products.review_count as {{ dbt.type_bigint() }}) as product_review_count,
    run.as_of_date,
    run.run_id
from predicted
inner join customers on predicted.customer_number = customers.customer_number
inner join products on predicted.product_number = products.product_number
cross join run
