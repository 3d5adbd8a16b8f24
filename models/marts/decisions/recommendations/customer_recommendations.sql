{#- Of each kind. -#}
{%- set most_recommendations = 10 -%}
{%- set text = dbt.type_string() -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

chosen as (

    select * from {{ ref('int_customer_value__recommendations_chosen') }}

),

customers as (

    select customer_id from {{ ref('orders_cleaned') }}
    where is_first_order

),

products as (

    select * from {{ ref('int_customer_value__products_sold') }}

),

customer_products as (

    select * from {{ ref('int_customer_value__customer_products') }}
    where windows_back = 0

),

candidates as (

    select * from {{ ref('int_customer_value__recommendation_candidates') }}
    where windows_back = 0

),

item_neighbours as (

    select * from {{ ref('int_customer_value__item_neighbours') }}
    where windows_back = 0

),

customer_neighbours as (

    select * from {{ ref('int_customer_value__customer_neighbours') }}
    where windows_back = 0

),

splits as (

    select * from {{ ref('int_customer_value__recommendation_splits') }}
    where windows_back = 0

),

numbers as (

    select
        customer_id,
        customer_number
    from customer_products
    group by customer_id, customer_number

),

weighted as (

    select
        candidates.*,
        {% for name in ['popularity', 'item', 'customer'] -%}
            case chosen.method
                {% for method in customer_value.recommendation_methods() -%}
                    when '{{ method.name }}' then {{ method[name] }}
                {% endfor -%}
            end * candidates.{{ name }}_score as {{ name }}_part
            {{- ',' if not loop.last }}
        {% endfor %}
    from candidates
    inner join chosen on chosen.kind = 'new'

),

scored as (

    select
        *,
        round(popularity_part + item_part + customer_part, 9) as score
    from weighted

),

-- Where nothing speaks for a product but that all buy it, it stands behind those for which something does.
new_products as (

    select
        numbers.customer_id,
        scored.customer_number,
        scored.product_number,
        'new' as recommendation_kind,
        scored.score,
        case
            when scored.customer_part >= scored.item_part and scored.customer_part >= scored.popularity_part and scored.customer_part > 0
                then 'user_based'
            when scored.item_part >= scored.popularity_part and scored.item_part > 0 then 'item_based'
            else 'popularity'
        end as recommended_by,
        scored.recent_customer_count,
        row_number() over (partition by scored.customer_number order by scored.score desc, scored.popularity_rank asc) as recommendation_rank
    from scored
    inner join numbers on scored.customer_number = numbers.customer_number
    qualify
        row_number() over (partition by scored.customer_number order by scored.score desc, scored.popularity_rank asc) <= {{ most_recommendations }}

),

popular as (

    select
        product_number,
        recent_customer_count,
        row_number() over (order by recent_customer_count desc, customer_count desc, product_number asc) as popularity_rank
    from customer_products
    group by product_number, recent_customer_count, customer_count

),

-- Of whom no purchase is known that could say more.
without_history as (

    select
        customers.customer_id,
        cast(null as {{ dbt.type_bigint() }}) as customer_number,
        popular.product_number,
        'new' as recommendation_kind,
        cast(popular.recent_customer_count as {{ customer_value.type_double() }})
        / nullif(max(popular.recent_customer_count) over (), 0) as score,
        'popularity' as recommended_by,
        popular.recent_customer_count,
        popular.popularity_rank as recommendation_rank
    from customers
    left join numbers on customers.customer_id = numbers.customer_id
    inner join popular on popular.popularity_rank <= {{ most_recommendations }}
    where numbers.customer_id is null

),

offers as (

    select * from new_products
    union all
    select * from without_history

),

-- Left joins, which are done in this order: a few offers of each customer first. A product that all buy
-- has thousands of neighbours, each with all of its customers.
nearest_products as (

    select
        offers.customer_id,
        offers.product_number,
        min(
            case
                when bought.product_number is not null
                    then cast(item_neighbours.similarity_rank as {{ dbt.type_bigint() }}) * 100000000 + bought.product_number
            end
        ) % 100000000 as nearest_product_number
    from offers
    left join item_neighbours on offers.product_number = item_neighbours.product_number
    left join customer_products as bought
        on
            offers.customer_number = bought.customer_number
            and item_neighbours.neighbour_product_number = bought.product_number
    where offers.recommended_by <> 'popularity'
    group by offers.customer_id, offers.product_number

),

neighbours_with_it as (

    select
        offers.customer_id,
        offers.product_number,
        count(bought.product_number) as neighbour_count
    from offers
    left join customer_neighbours on offers.customer_number = customer_neighbours.customer_number
    left join customer_products as bought
        on
            customer_neighbours.neighbour_customer_number = bought.customer_number
            and offers.product_number = bought.product_number
    where offers.recommended_by = 'user_based'
    group by offers.customer_id, offers.product_number

),

-- What of a product lies between two purchases of those who buy it again.
product_gaps as (

    select
        product_number,
        cast(sum({{ customer_value.datediff('first_order_date', 'last_order_date', 'day') }}) as {{ customer_value.type_double() }})
        / sum(purchase_day_count - 1) as days_between_purchases
    from customer_products
    where purchase_day_count > 1
    group by product_number

),

rhythms as (

    select
        customer_products.*,
        case chosen.method
            {% for method in customer_value.replenishment_methods() -%}
                when '{{ method.name }}' then cast({{ method.score }} as {{ customer_value.type_double() }})
            {% endfor -%}
        end as score,
        cast(
            round(
                {{ customer_value.rhythm(
                    'customer_products.purchase_day_count - 1',
                    customer_value.datediff('customer_products.first_order_date', 'customer_products.last_order_date', 'day'),
                    'product_gaps.days_between_purchases'
                ) }}
            ) as {{ dbt.type_int() }}
        ) as days_between_purchases
    from customer_products
    inner join product_gaps on customer_products.product_number = product_gaps.product_number
    inner join chosen on chosen.kind = 'replenishment'
    where customer_products.purchase_day_count > 1

),

replenishments as (

    select
        customer_id,
        product_number,
        score,
        purchase_day_count,
        last_order_date,
        days_between_purchases,
        cast({{ customer_value.dateadd('day', 'days_between_purchases', 'last_order_date') }} as date) as due_date,
        row_number() over (partition by customer_number order by score desc, product_number asc) as recommendation_rank
    from rhythms
    qualify row_number() over (partition by customer_number order by score desc, product_number asc) <= {{ most_recommendations }}

),

told as (

    select
        offers.customer_id,
        offers.recommendation_kind,
        offers.recommendation_rank,
        offers.product_number,
        offers.score,
        offers.recommended_by,
        nearest_products.nearest_product_number,
        cast(null as date) as due_date,
        case offers.recommended_by
            when 'item_based' then 'Because you bought ' || because_products.product_id || coalesce(' (' || because_products.category || ')', '') || '.'
            when 'user_based'
                then
                    'Bought by ' || neighbours_with_it.neighbour_count || ' of the ' || splits.neighbour_count || ' customers most like you'
                    || coalesce(', and often with what you bought: ' || because_products.product_id || coalesce(' (' || because_products.category || ')', ''), '')
                    || '.'
            else
                'Popular: ' || offers.recent_customer_count || ' customers bought it in the last {{ var("recommendation_window_days") }} days.'
        end as reason
    from offers
    left join nearest_products on offers.customer_id = nearest_products.customer_id and offers.product_number = nearest_products.product_number
    left join neighbours_with_it on offers.customer_id = neighbours_with_it.customer_id and offers.product_number = neighbours_with_it.product_number
    left join products as because_products on nearest_products.nearest_product_number = because_products.product_number
    cross join splits

    union all

    select
        replenishments.customer_id,
        'replenishment' as recommendation_kind,
        replenishments.recommendation_rank,
        replenishments.product_number,
        replenishments.score,
        'own_rhythm' as recommended_by,
        cast(null as {{ dbt.type_int() }}) as nearest_product_number,
        replenishments.due_date,
        'Bought on ' || replenishments.purchase_day_count || ' days, about every ' || replenishments.days_between_purchases || ' days, the last on '
        || cast(replenishments.last_order_date as {{ text }})
        || case when replenishments.due_date < run.as_of_date then ': was due on ' else ': due on ' end
        || cast(replenishments.due_date as {{ text }}) || '.' as reason
    from replenishments
    cross join run

)

select
    told.customer_id,
    told.recommendation_kind,
    cast(told.recommendation_rank as {{ dbt.type_int() }}) as recommendation_rank,
    products.product_id,
    products.category,
    round(told.score, 6) as recommendation_score,
    told.recommended_by,
    because_products.product_id as because_product_id,
    told.due_date,
    told.reason,
    run.as_of_date,
    run.run_id
from told
inner join products on told.product_number = products.product_number
left join products as because_products on told.nearest_product_number = because_products.product_number
cross join run
