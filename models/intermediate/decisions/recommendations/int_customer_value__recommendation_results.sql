{%- set double = customer_value.type_double() -%}

with splits as (

    select * from {{ ref('int_customer_value__recommendation_splits') }}
    where windows_back > 0

),

customer_products as (

    select * from {{ ref('int_customer_value__customer_products') }}
    where windows_back > 0

),

candidates as (

    select * from {{ ref('int_customer_value__recommendation_candidates') }}
    where windows_back > 0

),

products as (

    select distinct
        windows_back,
        product_number
    from customer_products

),

customers as (

    select distinct
        windows_back,
        customer_number
    from customer_products
    where is_judged

),

-- What was to be found: what customers with a history bought in the window, of what could have been
-- recommended at its beginning.
bought_then as (

    select distinct
        splits.windows_back,
        customers.customer_number,
        products.product_number
    from {{ ref('int_customer_value__products_ordered') }} as products_ordered
    inner join splits
        on products_ordered.order_date >= splits.split_date and products_ordered.order_date < splits.window_end_date
    inner join customers
        on splits.windows_back = customers.windows_back and products_ordered.customer_number = customers.customer_number
    inner join products on splits.windows_back = products.windows_back and products_ordered.product_number = products.product_number

),

sought as (

    select
        bought_then.windows_back,
        bought_then.customer_number,
        bought_then.product_number,
        case when customer_products.product_number is null then 'new' else 'replenishment' end as kind
    from bought_then
    left join customer_products
        on
            bought_then.windows_back = customer_products.windows_back
            and bought_then.customer_number = customer_products.customer_number
            and bought_then.product_number = customer_products.product_number

),

judged as (

    select
        windows_back,
        kind,
        customer_number,
        count(*) as sought_count
    from sought
    group by windows_back, kind, customer_number

),

scored as (

    {% for method in customer_value.recommendation_methods() -%}
        select
            candidates.windows_back,
            'new' as kind,
            '{{ method.name }}' as method,
            candidates.customer_number,
            candidates.product_number,
            round({{ customer_value.recommendation_score(method) }}, 9) as score,
            candidates.popularity_rank as rank_of_equals
        from candidates
        inner join judged
            on candidates.windows_back = judged.windows_back and candidates.customer_number = judged.customer_number and judged.kind = 'new'
        union all
    {% endfor -%}
    {% for method in customer_value.replenishment_methods() -%}
        select
            customer_products.windows_back,
            'replenishment' as kind,
            '{{ method.name }}' as method,
            customer_products.customer_number,
            customer_products.product_number,
            cast({{ method.score }} as {{ double }}) as score,
            customer_products.product_number as rank_of_equals
        from customer_products
        inner join judged
            on
                customer_products.windows_back = judged.windows_back
                and customer_products.customer_number = judged.customer_number
                and judged.kind = 'replenishment'
        where customer_products.purchase_day_count > 1
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (partition by windows_back, kind, method, customer_number order by score desc, rank_of_equals asc) as list_rank
    from scored
    qualify
        row_number() over (partition by windows_back, kind, method, customer_number order by score desc, rank_of_equals asc) <= 10

),

found as (

    select
        ranked.windows_back,
        ranked.kind,
        ranked.method,
        ranked.customer_number,
        ranked.product_number,
        ranked.list_rank,
        sought.product_number is not null as is_found
    from ranked
    left join sought
        on
            ranked.windows_back = sought.windows_back
            and ranked.kind = sought.kind
            and ranked.customer_number = sought.customer_number
            and ranked.product_number = sought.product_number

),

lengths as (

    select
        lists.list_length,
        ranks.list_rank
    from (values (5), (10)) as lists (list_length)
    inner join (values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)) as ranks (list_rank)
        on lists.list_length >= ranks.list_rank

),

-- Gains of a list that finds so many, all of them at its head.
best_gains as (

    select
        lengths.list_length,
        lengths.list_rank as found_count,
        sum(1 / log2(others.list_rank + 1) order by others.list_rank) as gain
    from lengths
    inner join lengths as others on lengths.list_length = others.list_length and lengths.list_rank >= others.list_rank
    group by lengths.list_length, lengths.list_rank

),

per_customer as (

    select
        found.windows_back,
        found.kind,
        found.method,
        lengths.list_length,
        found.customer_number,
        count(case when found.is_found then 1 end) as found_count,
        sum(case when found.is_found then 1 / log2(found.list_rank + 1) else 0 end order by found.list_rank) as gain
    from found
    inner join lengths on found.list_rank = lengths.list_rank
    group by found.windows_back, found.kind, found.method, lengths.list_length, found.customer_number

),

-- Shares as decimals, since these add up to the same in any order.
measured as (

    select
        per_customer.windows_back,
        per_customer.kind,
        per_customer.method,
        per_customer.list_length,
        sum(cast(cast(per_customer.found_count as {{ double }}) / judged.sought_count as decimal(18, 12))) as recall_sum,
        sum(cast(per_customer.gain / best_gains.gain as decimal(18, 12))) as ndcg_sum
    from per_customer
    inner join judged
        on
            per_customer.windows_back = judged.windows_back
            and per_customer.kind = judged.kind
            and per_customer.customer_number = judged.customer_number
    inner join best_gains
        on
            per_customer.list_length = best_gains.list_length
            and least(judged.sought_count, per_customer.list_length) = best_gains.found_count
    group by per_customer.windows_back, per_customer.kind, per_customer.method, per_customer.list_length

),

covered as (

    select
        found.windows_back,
        found.kind,
        found.method,
        lengths.list_length,
        count(distinct found.product_number) as covered_product_count
    from found
    inner join lengths on found.list_rank = lengths.list_rank
    group by found.windows_back, found.kind, found.method, lengths.list_length

),

catalogues as (

    select
        windows_back,
        count(*) as product_count
    from products
    group by windows_back

),

audiences as (

    select
        windows_back,
        kind,
        count(*) as customer_count
    from judged
    group by windows_back, kind

)

-- Of who was offered nothing, nothing was found.
select
    measured.windows_back,
    measured.kind,
    measured.method,
    measured.list_length,
    audiences.customer_count,
    catalogues.product_count,
    cast(measured.recall_sum as {{ double }}) / audiences.customer_count as recall,
    cast(measured.ndcg_sum as {{ double }}) / audiences.customer_count as ndcg,
    cast(covered.covered_product_count as {{ double }}) / catalogues.product_count as coverage
from measured
inner join covered
    on
        measured.windows_back = covered.windows_back
        and measured.kind = covered.kind
        and measured.method = covered.method
        and measured.list_length = covered.list_length
inner join catalogues on measured.windows_back = catalogues.windows_back
inner join audiences on measured.windows_back = audiences.windows_back and measured.kind = audiences.kind
