-- Reasons that a customer has but that are not in words: the seed churn_reasons has no row for them,
-- or names in braces what is no value, or more than two.
with reasons as (

    {% for number in [1, 2, 3] -%}
        select
            customer_churn.customer_id,
            customer_churn.top_reason_{{ number }} as reason_text,
            churn_scoring.reason_{{ number }} as churn_reason
        from {{ ref('customer_churn') }} as customer_churn
        inner join {{ ref('churn_scoring') }} as churn_scoring on customer_churn.customer_id = churn_scoring.customer_id
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select *
from reasons
where
    churn_reason is not null
    and (reason_text is null or reason_text = churn_reason or reason_text <> replace(reason_text, '{', ''))
