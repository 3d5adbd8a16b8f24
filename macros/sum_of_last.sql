{#- An aggregate: the sum of a column over a group's last few rows by a key, of those that a condition
    holds for; null without any. A window over all rows would sort them. -#}
{% macro sum_of_last(value, key, row_count, condition) -%}
    {{ return(adapter.dispatch('sum_of_last', 'customer_value')(value, key, row_count, condition)) }}
{%- endmacro %}

{% macro spark__sum_of_last(value, key, row_count, condition) -%}
    aggregate(
        slice(
            sort_array(collect_list(struct({{ key }} as ordering, {{ value }} as term)) filter (where {{ condition }}), false),
            1,
            {{ row_count }}
        ),
        cast(0 as bigint),
        (total, item) -> total + item.term
    )
{%- endmacro %}

{% macro default__sum_of_last(value, key, row_count, condition) -%}
    list_sum(max_by({{ value }}, {{ key }}, {{ row_count }}) filter (where {{ condition }}))
{%- endmacro %}
