{{ config(materialized='view') }}

with reviews as (

    select
        reviews.*,
        coalesce(identities.canonical_customer_id, reviews.customer_id) as canonical_customer_id
    from {{ ref('stg_customer_value__reviews') }} as reviews
    left join {{ ref('int_customer_value__identities_merged') }} as identities on reviews.customer_id = identities.customer_id

),

customers_left_out as (

    select * from {{ ref('int_customer_value__customers_left_out') }}

),

judged as (

    select
        reviews.*,
        case
            {{ customer_value.customer_reject_reason('reviews') }}
            when reviews.product_id is null or {{ customer_value.is_blank('reviews.product_id') }} then 'missing_product_id'
            {{ customer_value.time_reject_reason('reviews', 'reviewed_at') }}
            when {{ customer_value.is_unreadable('reviews.rating', 'reviews.raw_rating') }} then 'unparseable_rating'
            when reviews.rating is null then 'missing_rating'
        end as first_reject_reason
    from reviews
    left join customers_left_out on reviews.customer_id = customers_left_out.customer_id

),

-- Copies of a row that is usable, apart from the one that is kept.
numbered as (

    select
        *,
        row_number() over (
            partition by first_reject_reason, customer_id, product_id, reviewed_at
            order by rating
        ) as copy_number
    from judged

)

select
    canonical_customer_id as customer_id,
    customer_id as raw_customer_id,
    product_id,
    rating,
    reviewed_at,
    raw_rating,
    raw_reviewed_at,
    case
        when first_reject_reason is null and copy_number > 1 then 'duplicate_review'
        else first_reject_reason
    end as reject_reason
from numbered
