{#- Whether the engine takes a query: it is run and its answer thrown away. -#}
{% macro can_run(query) -%}
    {{ return(adapter.dispatch('can_run', 'customer_value')(query)) }}
{%- endmacro %}

{% macro default__can_run(query) -%}
    {{ return(true) }}
{%- endmacro %}

{#- An error can't be caught in a macro, but this method of the adapter says whether `from '<its
    argument>'` works. The argument ends that text early, asks the query, and leaves the rest to a
    comment. The query is counted, so that it runs to its end before the first row is there. -#}
{% macro duckdb__can_run(query) -%}
    {{ return(adapter.location_exists(
        "duckdb_tables' where 1 = 0 union all select count(*) from (" ~ query ~ "\n) as answer --"
    )) }}
{%- endmacro %}
