{#- The median of the so many rows before this one, of the same partition; rows where it is null do not
    count, and without any other it is null. -#}
{% macro median_of_previous(expression, partition_by, order_by, row_count) -%}
    {{ return(adapter.dispatch('median_of_previous', 'customer_value')(expression, partition_by, order_by, row_count)) }}
{%- endmacro %}

{#- Where no median is taken over a frame, what is in it is listed and sorted. -#}
{% macro spark__median_of_previous(expression, partition_by, order_by, row_count) -%}
    {%- set frame -%}
        sort_array(collect_list({{ expression }}) over (
            partition by {{ partition_by }} order by {{ order_by }} rows between {{ row_count }} preceding and 1 preceding
        ))
    {%- endset -%}
    case
        when size({{ frame }}) > 0
            then (
                element_at({{ frame }}, cast(floor((size({{ frame }}) + 1) / 2) as int))
                + element_at({{ frame }}, cast(floor(size({{ frame }}) / 2) as int) + 1)
            ) / 2
    end
{%- endmacro %}

{% macro default__median_of_previous(expression, partition_by, order_by, row_count) -%}
    median({{ expression }}) over (
        partition by {{ partition_by }} order by {{ order_by }} rows between {{ row_count }} preceding and 1 preceding
    )
{%- endmacro %}
