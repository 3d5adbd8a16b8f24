with run as (

    select * from {{ ref('int_customer_value__run') }}

),

reviews as (

    select
        reviews.customer_id,
        reviews.product_id,
        cast(reviews.rating as {{ customer_value.type_double() }}) as rating,
        reviews.reviewed_at
    from {{ ref('int_customer_value__reviews_checked') }} as reviews
    cross join run
    where reviews.reject_reason is null and {{ customer_value.reporting_date('reviews.reviewed_at') }} < run.as_of_date

),

-- What a customer says last of a product stands.
numbered as (

    select
        *,
        row_number() over (partition by customer_id, product_id order by reviewed_at desc, rating asc) as review_number
    from reviews

)

select
    customer_id,
    product_id,
    rating,
    cast(dense_rank() over (order by customer_id) - 1 as {{ dbt.type_int() }}) as customer_number,
    cast(dense_rank() over (order by product_id) - 1 as {{ dbt.type_int() }}) as product_number,
    -- A number for the time, since which reviews are held out goes by it.
    cast(row_number() over (order by reviewed_at, customer_id, product_id) - 1 as {{ dbt.type_int() }}) as review_number
from numbered
where review_number = 1
