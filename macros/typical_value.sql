{#- One row with the median or the mode of a column, null where none is known: the lower of two
    values in the middle, and of the most frequent ones the least. -#}
{% macro typical_value(relation, column, method) -%}
    {%- if method == 'median' -%}
        select percentile_disc(0.5) within group (order by {{ column }}) as typical_value
        from {{ relation }}
    {%- else -%}
        select min({{ column }}) as typical_value
        from (
            select {{ column }}, rank() over (order by count(*) desc) as frequency_rank
            from {{ relation }}
            where {{ column }} is not null
            group by {{ column }}
        ) as frequencies
        where frequency_rank = 1
    {%- endif -%}
{%- endmacro %}
