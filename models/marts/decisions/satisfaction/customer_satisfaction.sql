{%- set text = dbt.type_string() -%}

with signals as (

    select * from {{ ref('int_customer_value__satisfaction_signals') }}
    where is_current

),

-- Better or worse by a tenth of the scale in the last churn window than before it.
worded as (

    select
        customer_id,
        {% set words = [
            ('rating', "coalesce(cast(cast(mean_rating as decimal(18, 1)) as " ~ text ~ "), '')"),
            ('review_count', 'cast(review_count as ' ~ text ~ ')'),
            ('shop_rating', "coalesce(cast(cast(shop_rating as decimal(18, 1)) as " ~ text ~ "), '')"),
            ('refunded_count', 'cast(refunded_count as ' ~ text ~ ')'),
            ('order_count', 'cast(order_count as ' ~ text ~ ')'),
            ('shop_refund_percent', 'cast(cast(100 * shop_refund_rate as decimal(18, 1)) as ' ~ text ~ ')'),
        ] -%}
        {% for name, expression in words -%} replace( {%- endfor -%}
        reason_text
        {%- for name, expression in words %}, '{{ '{' ~ name ~ '}' }}', {{ expression }}) {%- endfor %}
        || case
            when rating_trend >= 0.1 * rating_range then '; higher of late'
            when rating_trend <= -0.1 * rating_range then '; lower of late'
            else ''
        end as why
    from signals

)

select
    signals.customer_id,
    signals.satisfaction_level,
    cast(signals.review_count as {{ dbt.type_bigint() }}) as review_count,
    round(signals.mean_rating, 4) as mean_rating,
    round(signals.shrunken_rating, 4) as shrunken_rating,
    round(signals.rating_trend, 4) as rating_trend,
    cast(signals.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(signals.refunded_count as {{ dbt.type_bigint() }}) as refunded_order_count,
    round(signals.shrunken_refund_rate, 6) as shrunken_refund_rate,
    worded.why,
    signals.as_of_date,
    {{ customer_value.run_id() }} as run_id
from signals
inner join worded on signals.customer_id = worded.customer_id
