{#- Exact quantiles of a column, each a column of its name, within the groups if there are any, and
    row_count. They come from how often each value is there: a quantile as an aggregate holds all values in
    memory, and can't spill. So the column should repeat: round it where it doesn't. Shares are in
    thousandths of the rows; the quantile is the smallest value that so many rows are at most. -#}
{% macro quantiles_by_count(relation, column, thousandths, group_by=[]) -%}
    {%- set groups = group_by | join(', ') -%}
    {%- set partition = 'partition by ' ~ groups ~ ' ' if group_by else '' -%}
    select
        {% for name in group_by -%}
            {{ name }},
        {% endfor -%}
        {% for name, share in thousandths.items() -%}
            min(case when 1000 * rows_up_to_here >= {{ share }} * rows_in_all then {{ column }} end) as {{ name }},
        {% endfor -%}
        max(rows_in_all) as row_count
    from (
        select
            {% for name in group_by -%}
                {{ name }},
            {% endfor -%}
            {{ column }},
            sum(row_count) over ({{ partition }}order by {{ column }} rows between unbounded preceding and current row) as rows_up_to_here,
            sum(row_count) over ({{ partition | trim }}) as rows_in_all
        from (
            select
                {% for name in group_by -%}
                    {{ name }},
                {% endfor -%}
                {{ column }},
                count(*) as row_count
            from {{ relation }}
            group by {{ (group_by + [column]) | join(', ') }}
        ) as counted
    ) as cumulated
    {%- if group_by %}
    group by {{ groups }}
    {%- endif %}
{%- endmacro %}
