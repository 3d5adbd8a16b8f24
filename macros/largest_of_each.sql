{#- The largest values of a whole-number expression within each group, one row each: without a sort of
    all rows, which costs more than all else where groups have thousands. How many, a column may say that
    is the same throughout a group. -#}
{% macro largest_of_each(relation, keys, expression, count, column_name) -%}
    {{ return(adapter.dispatch('largest_of_each', 'customer_value')(relation, keys, expression, count, column_name)) }}
{%- endmacro %}

{% macro default__largest_of_each(relation, keys, expression, count, column_name) -%}
    select {{ keys | join(', ') }}, {{ column_name }}
    from (
        select
            {{ keys | join(', ') }},
            {{ expression }} as {{ column_name }},
            {{ count }} as kept_count,
            row_number() over (partition by {{ keys | join(', ') }} order by {{ expression }} desc) as place
        from {{ relation }}
    ) as placed
    where place <= kept_count
{%- endmacro %}

{% macro duckdb__largest_of_each(relation, keys, expression, count, column_name) -%}
    select {{ keys | join(', ') }}, unnest(max({{ expression }}, {{ count }})) as {{ column_name }}
    from {{ relation }}
    group by {{ keys | join(', ') }}
{%- endmacro %}
