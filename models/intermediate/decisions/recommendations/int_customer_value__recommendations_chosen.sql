-- By what ranks best in the earlier window; of equals, and where there is no such window, the method
-- that is named first.
with results as (

    select * from {{ ref('int_customer_value__recommendation_results') }}
    where windows_back = 2 and list_length = 10

),

methods as (

    {% for kind, methods in [('new', customer_value.recommendation_methods()), ('replenishment', customer_value.replenishment_methods())] -%}
        {% set is_last_kind = loop.last -%}
        {% for method in methods -%}
            select
                '{{ kind }}' as kind,
                '{{ method.name }}' as method,
                {{ loop.index }} as method_number
            {{ 'union all' if not (loop.last and is_last_kind) }}
        {% endfor %}
    {% endfor %}

),

ranked as (

    select
        methods.kind,
        methods.method,
        row_number() over (
            partition by methods.kind
            order by round(coalesce(results.ndcg, 0), 9) desc, methods.method_number
        ) as place
    from methods
    left join results on methods.kind = results.kind and methods.method = results.method

)

select
    kind,
    method
from ranked
where place = 1
